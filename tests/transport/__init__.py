"""The transport against scripted peers on real loopback sockets, and against hostile bytes in memory."""
