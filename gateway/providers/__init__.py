"""Models whose servers speak no OpenAI: asked through litellm, which is imported once a card needs it."""
