"""What do we know? The LMDB store, the FAISS search, the ledger, and how they are checked and rebuilt."""
