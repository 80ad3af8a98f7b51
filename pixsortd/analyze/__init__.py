"""What is this photo? Reading, decoding, describing, embedding and scoring."""
