#!/bin/sh
# Verifies a Tegata evidence bundle (ASiC-E with CAdES) without Tegata.
#
#   sh verify.sh --anchors ANCHORS.pem [--policy LOG.policy] EVIDENCE.asice [DATA ...]
#
# Needs unzip, sha256sum, openssl 3, and the plain tools of POSIX (sh, sed, awk, od, tr, head, tail, sort, find).
# ANCHORS.pem holds the certificates that you trust, LOG.policy the logs and witnesses that you trust
# (c2sp.org/tlog-policy). Take both, and this script, from somewhere else than the bundle. DATA are the delivered
# bytes; several files are read one after the other.
#
# Exit: 0 passed, 20 a step failed, 12 it cannot be told (an anchor, a policy or a list is missing), 2 wrong use.

set -u
LC_ALL=C
export LC_ALL
umask 077

usage() {
    sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

anchors='' policy=''
while [ $# -gt 0 ]; do
    case $1 in
        --anchors) [ $# -ge 2 ] || usage; anchors=$2; shift 2 ;;
        --policy) [ $# -ge 2 ] || usage; policy=$2; shift 2 ;;
        --) shift; break ;;
        -*) usage ;;
        *) break ;;
    esac
done
[ $# -ge 1 ] || usage
container=$1
shift
for needed in "$container" ${anchors:+"$anchors"} ${policy:+"$policy"} "$@"; do
    [ -r "$needed" ] || { echo "cannot read: $needed" >&2; exit 2; }
done

T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
trap 'exit 2' HUP INT TERM
E=$T/e
open=0

# The parts of one step are held back and told in one line.
held='' why_open=''
passed() { [ -n "$held" ] || printf '%-10s passed        %s\n' "$1" "$2"; }
absent() { printf '%-10s absent        %s\n' "$1" "$2"; }
unclear() {
    open=1
    if [ -n "$held" ]; then why_open=$2; else printf '%-10s indeterminate %s\n' "$1" "$2"; fi
}
failed() {
    printf '%-10s FAILED        %s\n' "$1" "$2"
    [ -s "$T/why" ] && sed 's/^/           | /' "$T/why" | head -n 6
    exit 20
}

# Runs a command in silence; what it said is shown when the step fails.
quiet() { "$@" > "$T/why" 2>&1; }

# --- helpers on bytes -------------------------------------------------------------------------------------------

sha256_raw() { openssl dgst -sha256 -binary; }
unbase64() { openssl base64 -d -A; }
unbase64url() {
    { tr -d '\n' | tr '_-' '/+'; } > "$T/b64"
    case $(($(wc -c < "$T/b64") % 4)) in 2) printf '==' ;; 3) printf '=' ;; esac >> "$T/b64"
    unbase64 < "$T/b64"
}
unhex() { # HEX OUT: bytes from hex digits, through an OCTET STRING
    quiet openssl asn1parse -genstr "FORMAT:HEX,OCTETSTRING:$1" -noout -out "$T/octets"
    tail -c $((${#1} / 2)) "$T/octets" > "$2"
}
plain() { case $1 in 0?*) echo "${1#0}" ;; *) echo "$1" ;; esac; }

# The time of a token in seconds since 1970; nothing if the token cannot be read.
stated_time() {
    rm -f "$T/info"
    quiet openssl cms -verify -noverify -inform DER -in "$1" -out "$T/info" || return 0
    g=$(openssl asn1parse -inform DER -in "$T/info" 2> /dev/null |
        sed -n 's/.*GENERALIZEDTIME *:\([0-9]\{14\}\).*/\1/p' | head -n 1)
    [ -n "$g" ] || return 0
    set -- $(echo "$g" | sed 's/\(....\)\(..\)\(..\)\(..\)\(..\)\(..\)/\1 \2 \3 \4 \5 \6/')
    y=$1 m=$(plain "$2") d=$(plain "$3") hh=$(plain "$4") mm=$(plain "$5") ss=$(plain "$6")
    [ "$m" -gt 2 ] || { y=$((y - 1)) m=$((m + 12)); }
    days=$((365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 719469))
    echo $((days * 86400 + hh * 3600 + mm * 60 + ss))
}

# --- container --------------------------------------------------------------------------------------------------

mkdir "$E"
printf 'PK\003\004' > "$T/magic"
head -c 4 "$container" > "$T/head"
cmp -s "$T/magic" "$T/head" || failed container 'does not start with its first entry'
quiet unzip -tqq "$container" || failed container 'unzip finds it broken'
unzip -Z1 "$container" > "$T/names" 2> "$T/why" || failed container 'unzip cannot list it'
[ "$(sed -n 1p "$T/names")" = mimetype ] || failed container 'the first entry is not `mimetype`'
[ -z "$(sort "$T/names" | uniq -d)" ] || failed container 'a name stands twice'
[ -z "$(grep -Ev '^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$' "$T/names")" ] ||
    failed container 'a name is not plain'
quiet unzip -q -n "$container" -d "$E" || failed container 'unzip cannot unpack it'
[ -z "$(find "$E" ! -type f ! -type d)" ] || failed container 'an entry is no file (a link)'
printf 'application/vnd.etsi.asic-e+zip' > "$T/mimetype"
cmp -s "$T/mimetype" "$E/mimetype" || failed container 'another `mimetype`'
passed container "$(wc -l < "$T/names" | tr -d ' ') entries"

# --- digests ----------------------------------------------------------------------------------------------------

M=$E/META-INF
for name in signature.p7s ASiCManifest.xml timestamp.tst ASiCManifest-ts.xml; do
    [ -f "$M/$name" ] || failed digests "the bundle has no META-INF/$name"
done
listed() { # MANIFEST: its files and digests, a line each
    sed -n 's|^<asic:DataObjectReference URI="\([^"]*\)"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>\([^<]*\)</ds:DigestValue></asic:DataObjectReference>$|\1 \2|p' "$1"
}
# The one form of a manifest that lists these files: SIGNED_BY TYPE
rendered() {
    printf '<?xml version="1.0" encoding="UTF-8"?>\n'
    printf '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" '
    printf 'xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n'
    printf '<asic:SigReference URI="%s" MimeType="%s"/>\n' "$1" "$2"
    while read -r name digest; do
        printf '<asic:DataObjectReference URI="%s"><ds:DigestMethod ' "$name"
        printf 'Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>%s' "$digest"
        printf '</ds:DigestValue></asic:DataObjectReference>\n'
    done < "$T/listed"
    printf '</asic:ASiCManifest>\n'
}
for manifest in ASiCManifest.xml ASiCManifest-ts.xml; do
    listed "$M/$manifest" > "$T/listed"
    case $manifest in
        ASiCManifest.xml) rendered META-INF/signature.p7s application/pkcs7-signature ;;
        *) rendered META-INF/timestamp.tst application/vnd.etsi.timestamp-token ;;
    esac > "$T/rendered"
    cmp -s "$T/rendered" "$M/$manifest" || failed digests "META-INF/$manifest is not in its one form"
    while read -r name digest; do
        [ -f "$E/$name" ] || failed digests "$name is listed and not there"
        [ "$(sha256_raw < "$E/$name" | openssl base64 -A)" = "$digest" ] || failed digests "$name differs"
    done < "$T/listed" || exit $?
    sed 's/ .*//' "$T/listed" | sort > "$T/$manifest.names"
done
printf 'META-INF/ASiCManifest.xml\nMETA-INF/signature.p7s\n' > "$T/sealed"
cmp -s "$T/sealed" "$T/ASiCManifest-ts.xml.names" || failed digests 'the time-stamp covers other files'
(cd "$E" && find . -type f) | sed 's|^\./||' | grep -v -e '^mimetype$' -e '^META-INF/' | sort > "$T/there"
cmp -s "$T/there" "$T/ASiCManifest.xml.names" || failed digests 'a file is in no manifest'
[ "$(find "$M" -type f | wc -l | tr -d ' ')" = 4 ] || failed digests 'a file in META-INF is in no manifest'
passed digests 'each file has the SHA-256 in its manifest'

# --- seals and stamps -------------------------------------------------------------------------------------------

: > "$T/ca.pem"
[ -n "$anchors" ] && cat "$anchors" > "$T/ca.pem"
crls=''
if [ -s "$E/trust/crl.pem" ]; then
    # Lists are believed only when an anchor's path signed them, so that they may come from the bundle.
    cat "$E/trust/crl.pem" >> "$T/ca.pem"
    crls='-crl_check_all'
fi
chain=''
[ -s "$E/trust/chain.pem" ] && chain=$E/trust/chain.pem
at=$(stated_time "$M/timestamp.tst")

# Why openssl refused, in our words: WHAT
refused_by() {
    if grep -q 'certificate revoked' "$T/why"; then
        echo "the certificate of $1 is revoked"
    elif grep -q 'certificate has expired' "$T/why"; then
        echo "the certificate of $1 has expired"
    else
        echo "$1 does not verify to your anchors"
    fi
}

# Is this content sealed by this file, as of this time? STEP SEAL CONTENT TIME
check_seal() {
    if [ -z "$anchors" ]; then
        quiet openssl cms -verify -binary -noverify -inform DER -in "$2" -content "$3" \
            -signer "$T/signer.pem" -out /dev/null || failed "$1" 'the seal does not fit'
        unclear "$1" 'the seal fits, and no anchor was given from outside'
        return
    fi
    quiet openssl cms -verify -binary -cades -inform DER -in "$2" -content "$3" -CAfile "$T/ca.pem" \
        -no-CApath -no-CAstore $crls ${4:+-attime "$4"} ${chain:+-certfile "$chain"} \
        -signer "$T/signer.pem" -out /dev/null || failed "$1" "$(refused_by 'the seal')"
    openssl x509 -in "$T/signer.pem" -noout -subject -nameopt RFC2253 > "$T/subject" 2> "$T/why"
    grep -q organizationIdentifier "$T/subject" || failed "$1" 'the certificate names no organization'
    if [ -n "$crls" ]; then
        passed "$1" "$(cat "$T/subject")"
    else
        unclear "$1" 'good, and the bundle holds no revocation list'
    fi
}

# Is this content stamped by this token? STEP TOKEN CONTENT TIME
check_stamp() {
    if [ -z "$anchors" ]; then
        unclear "$1" 'no anchor was given from outside'
        return
    fi
    quiet openssl ts -verify -data "$3" -in "$2" -token_in -CAfile "$T/ca.pem" $crls \
        ${4:+-attime "$4"} ${chain:+-untrusted "$chain"} || failed "$1" "$(refused_by 'the time-stamp')"
    passed "$1" "$(openssl ts -reply -in "$2" -token_in -text 2> /dev/null | sed -n 's/^Time stamp: //p')"
}

check_seal seal "$M/signature.p7s" "$M/ASiCManifest.xml" "$at"
check_stamp stamp "$M/timestamp.tst" "$M/ASiCManifest-ts.xml" "$at"
if [ -n "$at" ] && [ "$at" -gt $(($(date +%s) + 60)) ]; then
    failed stamp 'the time-stamp is yet to come'
fi

# --- delivery ---------------------------------------------------------------------------------------------------

manifest=$E/manifest.json
if [ -f "$manifest" ]; then
    { tr '{' '\n' < "$manifest"; echo; } |
        sed -n 's/^"bytes":\([0-9]*\),"id":"\([0-9a-f]\{64\}\)","rows":[0-9]*}.*/\1 \2/p' > "$T/chunks"
    digest=$(sha256sum < "$manifest" | sed 's/ .*//')
    told="$(wc -l < "$T/chunks" | tr -d ' ') chunks"
    if [ -f "$E/manifest.p7s" ]; then
        held=delivery
        then=$at
        if [ -f "$E/manifest.tst" ]; then
            then=$(stated_time "$E/manifest.tst")
            check_stamp delivery "$E/manifest.tst" "$E/manifest.p7s" "$then"
        fi
        check_seal delivery "$E/manifest.p7s" "$manifest" "$then"
        held=''
        [ -z "$anchors" ] || told="$told, sealed by $(sed 's/^subject=//' "$T/subject")"
    fi
    if [ -n "$why_open" ]; then unclear delivery "$why_open"; else passed delivery "$told"; fi
else
    absent delivery 'the bundle tells of no delivery'
fi

# --- log --------------------------------------------------------------------------------------------------------

# Did the key of this verifier line sign the note? VKEY; on success prints nothing and returns 0.
signed_by() {
    name=${1%%+*} key=${1#*+}
    key=${key#*+}
    printf '%s' "$key" | unbase64 > "$T/key"
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$T/key"; } > "$T/pub.der"
    grep -F "— $name " "$T/note" | sed 's/.* //' > "$T/signatures"
    while read -r signature; do
        printf '%s' "$signature" | unbase64 > "$T/sig"
        tail -c 64 "$T/sig" > "$T/raw"
        case $(wc -c < "$T/sig" | tr -d ' ') in
            68) cat "$T/text" > "$T/message" ;;
            76)
                seconds=0
                for byte in $(head -c 12 "$T/sig" | tail -c 8 | od -An -tu1); do
                    seconds=$((seconds * 256 + byte))
                done
                [ "$seconds" -le "$(date +%s)" ] || continue
                { printf 'cosignature/v1\ntime %s\n' "$seconds"; cat "$T/text"; } > "$T/message"
                ;;
            *) continue ;;
        esac
        quiet openssl pkeyutl -verify -pubin -keyform DER -inkey "$T/pub.der" -rawin \
            -in "$T/message" -sigfile "$T/raw" && return 0
    done < "$T/signatures"
    return 1
}

check_log() {
    sed -n 1p "$E/event.tlog-proof" | grep -q '^c2sp.org/tlog-proof@v1$' || failed log 'not a proof'
    sed -n '/^index /,/^$/p' "$E/event.tlog-proof" > "$T/proof"
    sed '1,/^$/d' "$E/event.tlog-proof" > "$T/note"
    sed '/^$/,$d' "$T/note" > "$T/text"
    index=$(sed -n 's/^index \([0-9]*\)$/\1/p' "$T/proof")
    origin=$(sed -n 1p "$T/text") size=$(sed -n 2p "$T/text") root=$(sed -n 3p "$T/text")
    case $index-$size in *[!0-9-]* | -* | *-) failed log 'not a proof' ;; esac
    [ "$index" -lt "$size" ] || failed log 'the entry is beyond the checkpoint'
    if [ -f "$manifest" ]; then
        grep -q "\"manifest\":\"$digest\"" "$E/event.json" || failed log 'the event tells of another manifest'
    fi
    if [ -z "$policy" ]; then
        unclear log 'no log policy was given from outside'
        return
    fi
    by=''
    for vkey in $(awk '$1 == "log" { print $2 }' "$policy"); do
        [ "${vkey%%+*}" = "$origin" ] && signed_by "$vkey" && by=$origin
    done
    [ -n "$by" ] || failed log 'no log of your policy signed this checkpoint'
    seen=''
    awk '$1 == "witness" { print $2, $3 }' "$policy" > "$T/witnesses"
    while read -r witness vkey; do
        signed_by "$vkey" < /dev/null && seen="$seen $witness"
    done < "$T/witnesses"
    awk -v seen=" $seen " '
        $1 == "witness" { good[$2] = index(seen, " " $2 " ") > 0 }
        $1 == "group" {
            count = 0
            for (i = 4; i <= NF; i++) count += good[$i]
            wanted = $3 == "any" ? 1 : $3 == "all" ? NF - 3 : $3 + 0
            good[$2] = count >= wanted
        }
        $1 == "quorum" { quorum = $2 }
        END { exit !(quorum == "none" || good[quorum]) }
    ' "$policy" || failed log "no quorum: cosigned by${seen:- nobody}"

    salt=$(sed -n 1p "$E/event.salt")
    case $salt in *[!0-9a-f]* | '') failed log 'the salt is not hex' ;; esac
    unhex "$salt" "$T/salt"
    { printf 'tegata/event/v1\n'; cat "$T/salt" "$E/event.json"; } | sha256_raw > "$T/entry"
    { printf '\000'; cat "$T/entry"; } | sha256_raw > "$T/node"
    # RFC 9162 section 2.1.3.2.
    fn=$index sn=$((size - 1))
    sed -n '/^[A-Za-z0-9+\/]\{43\}=$/p' "$T/proof" > "$T/hashes"
    while read -r hash; do
        [ "$sn" -gt 0 ] || failed log 'the proof is too long'
        printf '%s' "$hash" | unbase64 > "$T/other"
        if [ $((fn % 2)) = 1 ] || [ "$fn" = "$sn" ]; then
            { printf '\001'; cat "$T/other" "$T/node"; } | sha256_raw > "$T/up"
            while [ $((fn % 2)) = 0 ] && [ "$fn" -gt 0 ]; do fn=$((fn / 2)) sn=$((sn / 2)); done
        else
            { printf '\001'; cat "$T/node" "$T/other"; } | sha256_raw > "$T/up"
        fi
        cat "$T/up" > "$T/node"
        fn=$((fn / 2)) sn=$((sn / 2))
    done < "$T/hashes" || exit $?
    [ "$sn" = 0 ] && [ "$(openssl base64 -A < "$T/node")" = "$root" ] ||
        failed log 'the event is not at this place of the log'
    passed log "entry $index of $size in $origin, cosigned by${seen:- nobody}"
}
if [ -f "$E/event.json" ] && [ -f "$E/event.salt" ] && [ -f "$E/event.tlog-proof" ]; then
    : > "$T/why"
    check_log
else
    absent log "the bundle has no proof of its event's place in a log"
fi

# --- receipt ----------------------------------------------------------------------------------------------------

member() { sed -n "s/.*[{,]\"$1\":\"\([^\"]*\)\".*/\1/p" "$2"; }
carries() { # CERTIFICATE NAME: does the certificate name this party, by a URI or by its organization identifier?
    {
        openssl x509 -in "$1" -noout -ext subjectAltName | tr ',' '\n' | sed 's/^ *//'
        openssl x509 -in "$1" -noout -subject -nameopt multiline | sed -n 's/^ *organizationIdentifier *= /URI:/p'
    } 2> /dev/null | grep -qxF "URI:$2"
}
check_receipt() {
    token=$(tr -d '\n' < "$E/receipt.jws")
    input=${token%.*} head=${token%%.*}
    printf '%s' "$head" | unbase64url > "$T/header"
    printf '%s' "${input#*.}" | unbase64url > "$T/payload"
    printf '%s' "${token##*.}" | unbase64url > "$T/raw"
    : > "$T/why"
    [ "$(member manifest "$T/payload")" = "$digest" ] || failed receipt 'the receipt is for another manifest'
    [ "$(member MessageIdentifier "$T/payload")" = "$(member transfer "$manifest")" ] ||
        failed receipt 'the receipt is for another transfer'
    [ "$(member agreement "$T/payload")" = "$(member agreement "$manifest")" ] ||
        failed receipt 'the receipt is for another agreement'
    [ "$(member ERDSEventId "$T/payload")" = http://uri.etsi.org/19522/Event/ContentHandover ] ||
        failed receipt 'it attests no handover'
    issuer=$(member EvidenceIssuerDetails "$T/payload")
    [ "$issuer" = "$(member RecipientDetails "$T/payload")" ] || failed receipt 'another than the recipient attests'
    # The last seal that was checked is the one over the manifest, or else that of the container.
    carries "$T/signer.pem" "$(member SenderDetails "$T/payload")" ||
        failed receipt 'the sender it names did not seal the manifest'
    [ "$(member alg "$T/header")" = ES256 ] && [ "$(member typ "$T/header")" = erds-evidence+jws ] ||
        failed receipt 'not an ES256 receipt'
    sed -n 's/.*"x5c":\["\([^"]*\)".*/\1/p' "$T/header" | tr -d '\n' | unbase64 > "$T/receiver.der"
    quiet openssl x509 -inform DER -in "$T/receiver.der" -out "$T/receiver.pem" || failed receipt 'no certificate'
    openssl x509 -in "$T/receiver.pem" -noout -pubkey > "$T/receiver.pub"
    rs=$(od -An -v -tx1 "$T/raw" | tr -d ' \n')
    [ ${#rs} = 128 ] || failed receipt 'the signature has another length'
    s=${rs#????????????????????????????????????????????????????????????????}
    printf 'asn1=SEQUENCE:two\n[two]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${rs%"$s"}" "$s" > "$T/sig.cnf"
    quiet openssl asn1parse -genconf "$T/sig.cnf" -noout -out "$T/sig.der"
    printf '%s' "$input" > "$T/input"
    quiet openssl dgst -sha256 -verify "$T/receiver.pub" -signature "$T/sig.der" "$T/input" ||
        failed receipt 'the signature does not verify'
    carries "$T/receiver.pem" "$issuer" || failed receipt 'the certificate does not carry the name of the recipient'
    if [ -z "$anchors" ]; then
        unclear receipt 'the signature fits, and no anchor was given from outside'
        return
    fi
    quiet openssl verify -CAfile "$T/ca.pem" -no-CApath -no-CAstore $crls -purpose smimesign \
        ${at:+-attime "$at"} ${chain:+-untrusted "$chain"} "$T/receiver.pem" ||
        failed receipt 'the certificate does not lead to your anchors'
    passed receipt "$issuer at $(member EventTime "$T/payload")"
}
if [ -f "$E/receipt.jws" ] && [ -f "$manifest" ]; then
    check_receipt
else
    absent receipt 'the bundle has no receipt'
fi

# --- data -------------------------------------------------------------------------------------------------------

if [ ! -f "$manifest" ]; then
    absent data 'the bundle tells of no delivery'
elif [ $# = 0 ]; then
    absent data 'no data were given to compare'
else
    : > "$T/why"
    data=$1
    [ $# = 1 ] || { data=$T/data; cat -- "$@" > "$data"; }
    offset=0 number=0
    while read -r bytes id; do
        found=$(tail -c +$((offset + 1)) "$data" | head -c "$bytes" | sha256sum | sed 's/ .*//')
        [ "$found" = "$id" ] || failed data "chunk $number is not what was delivered"
        offset=$((offset + bytes)) number=$((number + 1))
    done < "$T/chunks" || exit $?
    [ "$(wc -c < "$data" | tr -d ' ')" = "$offset" ] || failed data 'more data than was delivered'
    passed data "$number chunks, each with its SHA-256"
fi

cat <<'END'

Not proved by this script:
- that this copy of it, your anchors and your policy are the right ones: take them from outside of the bundle;
- that no byte of the container hides something (comments, gaps, attributes): `tegata verify` refuses those;
- revocation after the lists in the bundle were made, and what the log says since its checkpoint;
- that names, times and reasons inside of the signed records are true: they are what their signers state;
- that the delivery was lawful, and what was done with the data since.
END
if [ "$open" = 0 ]; then
    echo 'PASSED'
else
    echo 'INDETERMINATE: not green without what is missing above'
    exit 12
fi
