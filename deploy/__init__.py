"""Installing, starting and configuring the system on one machine."""
