"""Language: what the host answers, from a knowledge file or from an OpenAI-compatible endpoint."""

from models.language.knowledge_file import Knowledge, load_knowledge, parse_knowledge
from models.language.openai_chat import ChatSpec, OpenAIAnswerer
from models.language.retrieval import KnowledgeAnswerer

__all__ = ["ChatSpec", "Knowledge", "KnowledgeAnswerer", "OpenAIAnswerer", "load_knowledge", "parse_knowledge"]
