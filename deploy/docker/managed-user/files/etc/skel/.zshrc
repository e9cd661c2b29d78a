# Yours; /etc/zsh/zshrc has set history, completion, keys and a prompt before.
