import { connectWhatsApp } from './whatsapp.js';

await connectWhatsApp();
