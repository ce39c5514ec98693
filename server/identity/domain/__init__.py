"""Users, roles and permissions, codes, and the lives of a sign-in: pure, time is an argument."""
