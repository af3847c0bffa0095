# A login shell, such as tmux starts, finds what every other shell of this image finds.
export PATH=$HOME/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
