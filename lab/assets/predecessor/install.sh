#!/bin/sh
# Leaves a server as the former tool does once its code and images are there. Usage: install.sh DOMAIN EMAIL ACME_DIRECTORY
set -eu
domain=$1 email=$2 directory=$3
cd /opt/geoclic/deploy

# Readable by everybody, as it was.
cat > .env <<ENV
DB_USER=geoclic
DB_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
DB_NAME=geoclic_db
JWT_SECRET_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
APP_ENV=production
DEBUG=false
CORS_ORIGINS=https://$domain
LETSENCRYPT_EMAIL=$email
ENV
chmod 644 .env

ask() { certbot certonly --quiet --standalone --non-interactive --agree-tos --email "$email" --domain "$domain" --server "$directory"; }
# The lab's authority refuses some nonces on purpose; certbot tries each only twice.
ask || ask || ask
mkdir -p nginx/ssl
cp "/etc/letsencrypt/live/$domain/fullchain.pem" "/etc/letsencrypt/live/$domain/privkey.pem" nginx/ssl/

# The API's image runs as this user.
mkdir -p logs && chown 1000:1000 logs
docker compose --progress quiet up -d
for _ in $(seq 120); do
  curl -fsk https://127.0.0.1/api/health 2>/dev/null | grep -q '"healthy"' && break
  sleep 1
done

# Every migration in turn, its errors ignored; one was never run.
run() { docker exec -i geoclic_db psql -q -U geoclic -d geoclic_db >> /var/log/geoclic_init.log 2>&1 || true; }
run < ../database/migrations/add_system_settings.sql
for file in ../database/migrations/0*.sql; do
  [ "$file" = ../database/migrations/015_photos_intervention.sql ] || run < "$file"
done
# Another one was cut half-way.
echo 'DROP INDEX idx_demandes_citoyens_priorite; DROP TRIGGER demandes_citoyens_statut ON demandes_citoyens;' | run

cat > /etc/systemd/system/geoclic.service <<'UNIT'
[Unit]
Description=GeoClic
Requires=docker.service
After=docker.service network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
WorkingDirectory=/opt/geoclic/deploy
ExecStart=/usr/bin/docker compose up -d
ExecStop=/usr/bin/docker compose down

[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable --quiet geoclic.service
# As on a server that was booted since.
systemctl start geoclic.service

crontab -u root - <<CRON
# Somebody's own: geoclic's name stands here and must stay.
0 2 * * * /opt/geoclic/scripts/backup_db.sh >> /var/log/geoclic_backup.log 2>&1
*/5 * * * * /opt/geoclic/scripts/monitor.sh > /dev/null 2>&1
15 4 * * *	/usr/local/bin/mirror  --to nas   # certbot, monitor
0 3 * * * certbot renew --quiet --deploy-hook "cp /etc/letsencrypt/live/$domain/fullchain.pem /opt/geoclic/deploy/nginx/ssl/ && cp /etc/letsencrypt/live/$domain/privkey.pem /opt/geoclic/deploy/nginx/ssl/ && docker restart geoclic_nginx"
CRON

mkdir -p /opt/geoclic/backups
docker exec geoclic_db pg_dump -Fc -U geoclic -d geoclic_db > /opt/geoclic/backups/geoclic_backup_20261101_020000.dump
docker exec geoclic_db pg_dump -U geoclic -d geoclic_db | gzip > /opt/geoclic/backups/geoclic_backup_20261101_020000.sql.gz

# Somebody else's container and firewall.
docker run -d --quiet --name voisin --restart unless-stopped -p 127.0.0.1:8088:80 nginx:alpine > /dev/null
# Its folder is called as ours, so its Compose project is too.
docker run -d --quiet --name blog --restart unless-stopped \
  --label com.docker.compose.project=deploy --label com.docker.compose.service=web --label com.docker.compose.oneoff=False \
  --label com.docker.compose.container-number=1 --label com.docker.compose.project.working_dir=/srv/blog/deploy \
  --label com.docker.compose.project.config_files=/srv/blog/deploy/docker-compose.yml nginx:alpine > /dev/null
iptables -A INPUT -p tcp --dport 9 -j DROP -m comment --comment somebody
