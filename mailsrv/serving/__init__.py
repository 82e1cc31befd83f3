"""What a server needs of its machine: sockets, the user it becomes, the certificate it shows, its processes."""
