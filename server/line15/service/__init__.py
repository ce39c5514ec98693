"""The sources of each site, what they tell made durable, launches, call events, health."""
