"""What belongs together? Reducing, clustering, matching to earlier groups, joining in between."""
