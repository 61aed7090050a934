"""Who may call the server, from where, how much and how often; what its answers and its log let out."""
