"""The outside world behind the ports: databases, carriers, mail, telephony."""
