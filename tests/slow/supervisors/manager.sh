#!/bin/bash
# A real `systemd --user` manager in namespaces of its own. Needs root, nothing else of systemd
# has to run. Started by systemd.py: manager.sh HOME CGROUP; ends when it is killed, and all
# that it started with it. With JOURNAL=1 a journal of its own, in memory, keeps its messages. With
# SCOPE=system it is a manager of a system, whose units are in memory, but for those of a boot. With
# TREE=FOLDER all programs are those in FOLDER/usr, systemd among them.
set -eu
home=$1 cgroup=$2
if [ "${3:-}" != inside ]; then
  echo $$ > "$cgroup/cgroup.procs"
  exec unshare --mount --cgroup --pid --fork --mount-proc --kill-child "$0" "$home" "$cgroup" inside
fi
mount --make-rprivate /
if [ -n "${TREE:-}" ]; then
  mount --bind "$TREE/usr" /usr
fi
if [ "${SCOPE:-}" = system ]; then
  mount -t tmpfs tmpfs /run
  mount -t tmpfs tmpfs /etc/systemd/system
  mount -t tmpfs tmpfs /lib/systemd/system
  mkdir -p /run/systemd/system /run/systemd/system-generators
  for name in basic sysinit shutdown multi-user; do
    printf '[Unit]\nDefaultDependencies=no\n' > "/lib/systemd/system/$name.target"
  done
  umount -R /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  exec env -i container=other PATH="$PATH" /lib/systemd/systemd --system \
    --unit=multi-user.target --log-target=null --show-status=0
fi
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
if [ "${JOURNAL:-}" = 1 ]; then
  # Where a machine has it, so that the journal knows whose a unit's output is.
  own=/sys/fs/cgroup/user.slice/user-$(id -u).slice/user@$(id -u).service
  mkdir -p "$own"
  echo $$ > "$own/cgroup.procs"
fi
export HOME=$home XDG_RUNTIME_DIR=$home/run XDG_CONFIG_HOME=$home/.config
unset DBUS_SESSION_BUS_ADDRESS
# As a child: process 1 of its namespace would take itself for the manager of the machine.
/lib/systemd/systemd --user --unit=basic.target --log-target=$log &
wait $!
