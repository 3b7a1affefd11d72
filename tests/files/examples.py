"""The two examples of the design notes on the policy file, as people would write them."""

from __future__ import annotations

from tests.minting import pin_text

NEWCOMER = """\
schema = 1
measured = 2026-11-20

[keys]
now  = { certificate = "fullchain.pem" }
next = { csr = "next.csr" }

[hosts."api.shop.example"]
serves = "fullchain.pem"

[pinsets.first]
primary = "now"
backups = ["next"]

[apps.shop-android]
mechanism = "okhttp"
pinset = "first"
clients = 1_000                        # may be left out: verdicts are then by version only
"""
EVERYTHING = f"""\
schema = 1                             # a newer one is refused with a clear message, an older one migrated on save
name = "Storefront"                    # absent: the file's name
measured = 2026-11-20                  # the day the client counts were taken
include = ["../pki.toml"]              # shared keys, authorities, chains, hosts, trust; a clash of names is an error
pki = ["pki/cross-signs.pem"]          # certificates that clients may build with though nobody sends them

[limits]                               # every line may be left out; these are the defaults
break_budget = 0.005
exposure_budget = 0.0
noise_floor = 0.0005
exposure_weight = 1.0
confidence = 0.9
horizon_days = 365
emergency_days = 30
proof_days = 365
deploy_days = 1
rollback_days = 14
review_days = 2
safety_days = 3
sighting_days = 14
# key_max_days = 395

[keys]
api-2025 = {{ certificate = "pki/api-2025.pem", custody = "hsm-eu", proved = 2026-11-02 }}
api-2026 = {{ csr = "pki/api-2026.csr", custody = "offline-safe", proved = 2026-10-20 }}
api-rsa-key = {{ public_key = "pki/api-rsa.pub", custody = "hsm-eu" }}
api-2024 = {{ spki = "{pin_text("api-2024")}", status = "destroyed", since = 2026-02-11 }}
pin-sign = {{ public_key = "pki/pin-sign.pub", custody = "hsm-b" }}

[authorities]
isrg-x1   = {{ bundled = "ISRG Root X1" }}
isrg-x2   = {{ certificate = ["pki/x2.pem", "pki/x2-by-x1.pem"] }}
le-e7     = {{ certificate = "pki/le-e7.pem" }}
le-e8     = {{ certificate = "pki/le-e8.pem" }}
dst-x3    = {{ spki = "{pin_text("dst-x3")}", holder = "IdenTrust", until = 2021-09-30 }}
corp-root = {{ certificate = "pki/corp-root.pem", holder = "ours", custody = "safe" }}
corp-ica  = {{ spki = "{pin_text("corp-ica")}", holder = "ours", issued_by = ["corp-root"], until = 2031-01-01 }}
proxy     = {{ certificate = "pki/proxy-root.pem", holder = "Proxy vendor" }}

[chains]
api-now  = {{ file = "pki/api-fullchain.pem" }}
api-rsa  = {{ file = "pki/api-rsa-fullchain.pem" }}
partner  = {{ issuers = ["le-e8", "isrg-x2"], not_before = 2026-10-01, lifetime_days = 90 }}
[chains.api-next]
leaf = "api-2026"
issuers = ["le-e7", "isrg-x2", "isrg-x1"]
not_before = 2027-01-20
lifetime_days = 90
lead_hours = 4

[hosts.api]
names = ["api.shop.example", "img.shop.example"]
serves = ["api-now", "api-rsa"]
edges = [{{ name = "dr", serves = "api-now" }}]
issuer_pool = ["le-e7", "le-e8"]
renew_days = 60
renew_key = "same"
observed = 2026-11-19
other_clients = "browsers, partners"
[hosts."pay.partner.example"]
serves = "partner"
control = "third-party"
[hosts.broker]
names = ["mqtt.shop.example"]
port = 8883
serves = "pki/broker.pem"
audience = "intranet"
dane = {{ records = "dns/broker.tlsa", ttl_seconds = 3600, dnssec = "secure" }}

[trust]
android-7  = {{ roots = ["isrg-x1", "dst-x3"], os = ["24", "25"], accepts_expired_roots = true }}
android-14 = {{ roots = "pki/android-14-roots.pem", os = ["34"] }}
managed    = {{ local_roots = ["corp-root", "proxy"], intercepted_by = "proxy" }}

[pinsets.mobile-3]
primary = ["api-2025", "api-rsa-key"]
backups = ["api-2026"]
authorities = ["isrg-x1"]
covers = ["api.shop.example", {{ name = "shop.example", subdomains = true }}]
expires = 2027-06-30
mode = "enforce"
combine = "leaf-and-ca"
[pinsets.live]
certificates = ["api-now", "api-rsa"]
delivery = "live"
refresh_days = 1
offline_share = 0.03
stale = "open"
signed_by = "pin-sign"
expires = 2026-12-17
[pinsets.header]
primary = "api-2025"
backups = ["api-2026"]
max_age_days = 60

[apps.shop-android]
mechanism = ["android-nsc", "okhttp"]
hosts = {{ api = 1.0, "pay.partner.example" = 0.2 }}
trust = {{ android-7 = 0.1, android-14 = 0.9 }}
adoption = "typical"
new_installs = 0.02
rollout = "staged-7d"
review_days = 1
floors = [{{ version = "7.2.0", date = 2027-02-01, mode = "hard", reach = 0.82, reach_days = 7, via = "rc.example" }}]
counts = {{ source = "play-console", unit = "active devices, 30 days", basis = "measured", date = 2026-11-20 }}
beside = [{{ mechanism = "none", hosts = ["api"], note = "WebView" }}]
[[apps.shop-android.releases]]
version = "7.3.0"
released = 2026-12-05
pinset = "mobile-3"
[[apps.shop-android.releases]]
version = "7.2.0"
also = ["7.2.1"]
builds = [70200, 70210]
min_os = "26"
released = 2026-05-04
pinset = "mobile-3"
clients = 412_000
[[apps.shop-android.releases]]
version = "6.9.1"
released = 2025-11-17
clients = {{ android-7 = 9_500, android-14 = 29_000 }}
config = {{ android-nsc = "shipped/6.9.1/nsc.xml", okhttp = "shipped/6.9.1/pins.json" }}
[apps.shop-ios]
mechanism = ["apple-ats", "wultra"]
pinset = {{ apple-ats = "mobile-3", wultra = "live" }}
break_budget = 0.001
releases = [
  {{ version = "12.0", released = 2026-09-01, clients = {{ low = 700_000, high = 900_000 }} }},
  {{ version = "11.4", released = 2026-02-01, clients = 90_000, mechanism = "apple-ats", pinset = "mobile-3" }},
]
[apps.ledger]
mechanism = "ledger-verify"
pinset = "mobile-3"
adoption = "deploy"
clients = 30

[mechanisms.ledger-verify]
like = "go"
scope = "leaf"

# [fleet]
# file = "fleet.csv"

[[exports]]
pinset = "mobile-3"
files = {{ android-nsc = "app/src/main/res/xml/network_security_config.xml", okhttp = "app/pins.json" }}

[[freeze]]
from = 2026-12-18
to = 2027-01-04
what = ["ship", "serve"]

[[calendar]]
date = 2027-04-15
event = "ca-distrust:isrg-x1"
note = "drill, not news"

[[scenarios.friday-leak]]
date = 2026-11-27T17:30:00Z
event = "key-compromise:api-2025"

[[allow]]
finding = "single-pin"
subject = "apps.ledger"
reason = "..."
until = 2027-03-01
"""
