"""Language: what the host answers, from a knowledge file or from an OpenAI-compatible endpoint."""
