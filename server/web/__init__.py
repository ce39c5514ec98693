"""HTTP and WebSocket handlers: translate, call a service, translate back."""
