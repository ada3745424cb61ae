// Importing a channel registers it. Skills add theirs below.
import './whatsapp.js';
