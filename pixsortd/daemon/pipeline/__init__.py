"""The pipeline: what is taken up next, the line that has it analysed and committed, and the stages it shows."""
