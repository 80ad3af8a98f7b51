"""Where should it be? Moves that are planned, journaled, recoverable and reversible."""
