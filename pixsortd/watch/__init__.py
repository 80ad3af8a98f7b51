"""What is on disk? Roots, events, settling and the scan that proves them."""
