"""What the server says unasked: new slates to those who listen, triggers to those who gave an address."""
