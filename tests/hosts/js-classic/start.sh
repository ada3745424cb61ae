#!/bin/sh
# Keeps Skua in the air
cd "$(dirname "$0")" || exit 1
while true; do
  node index.js
  sleep 2
done
