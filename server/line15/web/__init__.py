"""Call events posted by other software, and the page on line 15."""
