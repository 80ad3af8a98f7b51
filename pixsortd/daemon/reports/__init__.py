"""What the API and the command line are told of the whole: status, overview, figures and settings."""
