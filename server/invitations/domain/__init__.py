"""Who may use a link, and who may type a code: pure, time is an argument."""
