import { deliver } from './post.js';

// The bot itself speaks HTTP only and comes back by itself.
setInterval(() => {
  deliver(process.env.POSTBOX_URL ?? 'https://postbox.invalid').catch((err) =>
    console.error('nothing delivered', err),
  );
}, 5000);
