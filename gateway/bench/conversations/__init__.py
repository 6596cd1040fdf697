"""What it costs and what it saves to stay with a conversation's model, on recorded outcomes."""
