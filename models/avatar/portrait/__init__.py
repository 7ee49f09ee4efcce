"""Portrait avatars: one photo or drawing becomes a pack that speaks."""
