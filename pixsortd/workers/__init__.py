"""Where does analysis run? The protocol, the spawned process and what happens when it dies."""
