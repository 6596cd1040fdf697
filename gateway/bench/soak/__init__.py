"""Whether a gateway that has served very many requests of every kind is as small and as quick as it was."""
