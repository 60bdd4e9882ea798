"""What people say in their own words: patterns of everyday speech, and what is denied, asked or quoted."""
