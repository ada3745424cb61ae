// Each import registers a channel; they start in this order.
import './whatsapp.js';
import './mailbox.js';
