#!/bin/sh
# Runs a program where it can harm nothing: ROOT becomes an empty system with the machine's programs, read-only, and
# HOME in it the one place on a disk that can be written to, in memory and small. The program is nobody, without
# rights and without a way to get any. Needs fresh namespaces (tests/jail/jail.py makes them).
#   enter.sh ROOT HOME FOLDER... -- PROGRAM...
set -eu
root=$1 home=$2
shift 2

bring() {
    mkdir -p "$root$1"
    mount --bind -o ro,nosuid,nodev "$1" "$root$1"
}

scratch() {
    mkdir -p "$root$1"
    mount -t tmpfs -o "nosuid,nodev,mode=1777,size=$2,nr_inodes=20000" jail "$root$1"
}

device() {
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
}

mount --make-rprivate /
mount -t tmpfs -o mode=755,size=1m jail "$root"
for folder in /bin /sbin /lib /lib32 /lib64 /libx32; do
    if [ -L "$folder" ]; then
        ln -s "$(readlink "$folder")" "$root$folder"
    elif [ -d "$folder" ]; then
        bring "$folder"
    fi
done
bring /usr
bring /etc
# First: what is brought in may lie below it.
scratch /tmp 64m
while [ "$1" != -- ]; do
    bring "$1"
    shift
done
shift
mkdir -p "$root/proc" "$root/dev/pts"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
device null 1 3
device zero 1 5
device full 1 7
device random 1 8
device urandom 1 9
device tty 5 0
scratch /dev/shm 16m
scratch "$home" 256m
mount -o remount,ro "$root"

cd "$root"
# The last wall: more than it needs is refused, not granted.
ulimit -c 0
# Processes are counted by user: with a number of their own they are those of this one alone.
user=65534
if [ -n "${JAIL_PROCESSES:-}" ]; then
    user=$((100000 + $(od -An -N2 -tu2 /dev/urandom)))
fi
exec prlimit --nproc="${JAIL_PROCESSES:-512}" --as=8589934592 --fsize=268435456 --cpu=1800 \
    chroot . setpriv --reuid="$user" --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
    env --chdir="$home" "$@"
