"""Line 15 as the sources report it: calls, their names, what links a session to one."""
