#!/bin/sh
# After each renewal by certbot: /etc/letsencrypt/renewal-hooks/deploy/visio15 (0755). It puts the renewed pair where Visio15, nginx and
# HAProxy read it, and lets those that run read it again. Nobody is cut off: open connections keep the certificate they began with.
# By hand, once, after the first certificate: RENEWED_LINEAGE=/etc/letsencrypt/live/visio15.chu.example sh certbot-deploy-hook.sh
# Another tool than certbot: call it with RENEWED_LINEAGE set to a folder with fullchain.pem and privkey.pem.
set -eu
: "${RENEWED_LINEAGE:?is set by certbot: the folder with fullchain.pem and privkey.pem}"
target=${TLS_TARGET:-/etc/ssl/visio15}
group=${TLS_GROUP:-visio15} # who may read the key beside root

umask 077
install -d -m 0750 -g "$group" "$target"
cat "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem" >"$target/visio15.pem.new" # HAProxy: both in one file
cat "$RENEWED_LINEAGE/fullchain.pem" >"$target/fullchain.pem.new"
cat "$RENEWED_LINEAGE/privkey.pem" >"$target/privkey.pem.new"
for name in privkey fullchain visio15; do
  chgrp "$group" "$target/$name.pem.new"
  chmod 0640 "$target/$name.pem.new"
  mv "$target/$name.pem.new" "$target/$name.pem" # a reader finds the old file or the new one, never half of one
done

for unit in visio15 nginx haproxy; do
  if systemctl is-active --quiet "$unit"; then systemctl reload "$unit"; fi
done
