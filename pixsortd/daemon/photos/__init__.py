"""Photos as the API shows them: lists, outlines, originals, and what the user says of them."""
