"""The list of incidents, the form, and the kiosk that counts new ones."""
