// Importing a channel registers it.
import "./pigeon.js";
import "./whatsapp.js";
