"""Speech: streaming voices behind the `Voice` port."""
