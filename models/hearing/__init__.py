"""Hearing: detecting and recognising what viewers say, behind the ports `SpeechDetector` and `Transcriber`."""
