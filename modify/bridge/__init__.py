"""Python programs that reach WhatsApp through a Node bridge of their own, over a WebSocket."""
