#!/bin/sh
# Pins the images of docker-compose.yml and of the Dockerfile to the digests that their tags have now, so that what is pulled
# is what was looked at, whoever moves a tag later. Run again it takes the digests of today; look at the difference before
# you keep it. The tags stay, for people to read. Nothing is changed unless every digest was found.
#
# Usage: sh deploy/pin-images.sh [FOLDER]      (default: the folder above this one; needs docker with buildx)
set -eu

folder="${1:-$(dirname "$0")/..}"
made=""
trap 'rm -f $made' EXIT

named() {
    sed -n -e 's/^ *image: *\([^ ]*\) *$/\1/p' -e 's/^FROM  *\([^ ]*\).*$/\1/p' "$@" | sed 's/@sha256:.*//' | sort -u
}

changes=""
for image in $(named "$folder/docker-compose.yml" "$folder/Dockerfile"); do
    case "$image" in
    redress:*) continue ;; # it is built here
    esac
    digest="$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image")" || digest=""
    if ! printf %s "$digest" | grep -Eqx 'sha256:[0-9a-f]{64}'; then
        echo "$image: its digest was not told, and nothing is changed" >&2
        exit 1
    fi
    escaped="$(printf %s "$image" | sed 's/\./\\./g')"
    changes="$changes
s|^\( *image: *\)$escaped\(@sha256:[0-9a-f]*\)\{0,1\} *\$|\1$image@$digest|
s|^\(FROM  *\)$escaped\(@sha256:[0-9a-f]*\)\{0,1\}\( .*\)\{0,1\}\$|\1$image@$digest\3|"
    echo "$image@$digest"
done

for file in docker-compose.yml Dockerfile; do
    made="$made $folder/$file.new"
    sed -e "$changes" "$folder/$file" >"$folder/$file.new"
done
for file in docker-compose.yml Dockerfile; do
    cat "$folder/$file.new" >"$folder/$file" # its owner and mode stay
done
