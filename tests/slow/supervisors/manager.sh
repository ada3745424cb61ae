#!/bin/bash
# A real `systemd --user` manager in namespaces of its own. Needs root, nothing else of systemd
# has to run. Started by systemd.py: manager.sh HOME CGROUP; ends when it is killed, and all
# that it started with it. With JOURNAL=1 a journal of its own, in memory, keeps its messages.
set -eu
home=$1 cgroup=$2
if [ "${3:-}" != inside ]; then
  echo $$ > "$cgroup/cgroup.procs"
  exec unshare --mount --cgroup --pid --fork --mount-proc --kill-child "$0" "$home" "$cgroup" inside
fi
mount --make-rprivate /
mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd
mkdir -p /run/systemd/system # sd_booted(3): systemctl refuses to work without it
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
log=null
if [ "${JOURNAL:-}" = 1 ]; then
  mkdir -p /run/log /run/systemd/journal
  mount -t tmpfs tmpfs /run/log
  mkdir -p /run/log/journal
  /lib/systemd/systemd-journald &
  until [ -S /run/systemd/journal/socket ]; do sleep 0.05; done
  log=journal
fi
export HOME=$home XDG_RUNTIME_DIR=$home/run XDG_CONFIG_HOME=$home/.config
unset DBUS_SESSION_BUS_ADDRESS
# As a child: process 1 of its namespace would take itself for the manager of the machine.
/lib/systemd/systemd --user --unit=basic.target --log-target=$log &
wait $!
