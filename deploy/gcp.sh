#!/usr/bin/env bash
# Deploys to Google Cloud, showing each command before it runs: `make deploy-gcp`. With --dry-run it shows them all
# and calls nobody. It may be run again at any time: what is there already is brought up to date.
set -euo pipefail
cd "$(dirname "$0")/.."

DRY_RUN=no
case "${1:-}" in
  "") ;;
  --dry-run) DRY_RUN=yes ;;
  *) echo >&2 "usage: deploy/gcp.sh [--dry-run]; docs/deploy-gcp.md has the variables"; exit 2 ;;
esac

NAME=${GCP_NAME:-ringback}
REGION=${GCP_REGION:-europe-central2}
RUNTIME=${GCP_RUNTIME:-python313}
CONFIG=functions/config.yaml
AT_ONCE=${GCP_AT_ONCE:-1}              # deliveries at the same time; with one, a person's events never run side by side
QUIET_HOURS=${GCP_QUIET_HOURS:-23}     # a source that brings nothing for so long is an alert; 0 for none, 24 at most
FAILING=${GCP_FAILING:-3}              # more PARKED and FAILED than that within an hour are an alert
REFUSED=${GCP_REFUSED:-10}             # more refused requests of one source than that within an hour are an alert
LOG_DAYS=${GCP_LOG_DAYS:-}              # how long the project's log is kept; without it as it is now (30 days at first)
CONNECTOR=${GCP_VPC_CONNECTOR:-}        # through which Thulium is called, where it takes calls of known addresses only
EMAIL=${GCP_ALERT_EMAIL:-}             # who is told of alerts; without it they are only shown in the console

# --- how commands are shown and run ---

say() { printf '\n# %s\n' "$*"; }

show() { # COMMAND...: as it could be pasted into a shell
  local word line=
  for word; do
    case $word in *[!A-Za-z0-9@%+=:,./_-]*) word="'${word//\'/\'\\\'\'}'" ;; esac
    line+=" $word"
  done
  printf %s "${line# }"
}

run() { # COMMAND...
  show "$@"; echo
  if [ "$DRY_RUN" = no ]; then "$@"; fi
}

run_with() { # TEXT COMMAND...: the text is its standard input
  local text=$1; shift
  show "$@"; printf " <<'END'\n%s\nEND\n" "$text"
  if [ "$DRY_RUN" = no ]; then "$@" <<<"$text"; fi
}

patiently() { # COMMAND..., run or run_with first: what was made a moment ago is not known everywhere at once
  local wait
  for wait in 5 10 20 40 80 160 300; do
    if "$@"; then return; fi
    echo "# once more in $wait seconds"; sleep "$wait"
  done
  "$@"
}

ask() { # COMMAND...: what it prints, nothing where it fails or is not to be run
  if [ "$DRY_RUN" = no ]; then "$@" 2>/dev/null || true; fi
}

exists() { [ -n "$(ask "$@" '--format=value(name)')" ]; }

# --- what is deployed ---

PROJECT=${GCP_PROJECT:-$(ask gcloud config get-value project)}
NUMBER=$(ask gcloud projects describe "$PROJECT" '--format=value(projectNumber)')
if [ "$DRY_RUN" = yes ]; then
  PROJECT=${PROJECT:-PROJECT} NUMBER=PROJECT_NUMBER
elif [ -z "$NUMBER" ]; then
  echo >&2 "The project '$PROJECT' can't be read. Name it in GCP_PROJECT, and log in: gcloud auth login"; exit 1
fi

# The public function runs as the first account, and Cloud Tasks calls as it. Only the second one, as which the private
# function runs, can read Thulium's password.
ACCOUNT=$NAME@$PROJECT.iam.gserviceaccount.com
DELIVER_ACCOUNT=$NAME-deliver@$PROJECT.iam.gserviceaccount.com
COUNTS=projects/$PROJECT/databases/$NAME
QUEUE=projects/$PROJECT/locations/$REGION/queues/$NAME
# Known before the function is there, which has to be told it too: https://cloud.google.com/run/docs/triggering/https-request
DELIVER_URL=https://$NAME-deliver-$NUMBER.$REGION.run.app
if [ ! -x .venv/bin/ringback ]; then echo >&2 "Run \`make install\` first: Ringback itself reads the configuration."; exit 1; fi
NAMES=$(RINGBACK_CONFIG=$CONFIG .venv/bin/ringback secrets)

names_for() { # webhook or deliver: the names in the configuration whose values that function needs
  awk -v who="$1" 'NF && (who == "deliver" || $2 == who) { print $1 }' <<<"$NAMES"
}

enable_services() {
  say "The services of Google Cloud that are used"
  run gcloud services enable --project="$PROJECT" run.googleapis.com cloudfunctions.googleapis.com \
    cloudbuild.googleapis.com artifactregistry.googleapis.com cloudtasks.googleapis.com secretmanager.googleapis.com \
    firestore.googleapis.com logging.googleapis.com monitoring.googleapis.com
}

# Both make tasks that are called as the first account, which takes the right to act as it.
make_accounts() {
  local account
  say "The accounts that the functions run as; Cloud Tasks calls as the first one"
  for account in "$ACCOUNT" "$DELIVER_ACCOUNT"; do
    exists gcloud iam service-accounts describe "$account" --project="$PROJECT" ||
      run gcloud iam service-accounts create "${account%%@*}" --project="$PROJECT" --display-name="${account%%@*}"
    patiently run gcloud iam service-accounts add-iam-policy-binding "$ACCOUNT" --project="$PROJECT" \
      --member="serviceAccount:$account" --role=roles/iam.serviceAccountUser --format=none
  done
}

make_secrets() {
  local name
  for name in $(names_for deliver); do
    say "\${$name} of the configuration: the secret $NAME-$name, in its latest version"
    exists gcloud secrets versions describe latest --secret="$NAME-$name" --project="$PROJECT" || make_secret "$NAME-$name"
    let_read "$NAME-$name" "$DELIVER_ACCOUNT"
  done
  say "Of these the public function may read what it needs itself"
  for name in $(names_for webhook); do let_read "$NAME-$name" "$ACCOUNT"; done
}

let_read() { # SECRET, ACCOUNT
  patiently run gcloud secrets add-iam-policy-binding "$1" --project="$PROJECT" \
    --member="serviceAccount:$2" --role=roles/secretmanager.secretAccessor --format=none
}

make_secret() { # SECRET, of one that is not there, or has no value yet
  local value=
  if [ "$DRY_RUN" = no ]; then
    if [ ! -t 0 ]; then echo >&2 "The secret $1 has no value, and nobody can be asked for it: give it one first."; exit 1; fi
    while [ -z "$value" ]; do read -rsp "# The value of $1, which is not shown: " value; echo; done
  fi
  exists gcloud secrets describe "$1" --project="$PROJECT" ||
    run gcloud secrets create "$1" --project="$PROJECT" --replication-policy=user-managed --locations="$REGION"
  show gcloud secrets versions add "$1" --project="$PROJECT" --data-file=-; echo
  if [ "$DRY_RUN" = no ]; then printf %s "$value" | gcloud secrets versions add "$1" --project="$PROJECT" --data-file=-; fi
}

# No task is ever given up by Cloud Tasks itself, which would delete it.
make_queue() { # NAME
  local verb=create
  if exists gcloud tasks queues describe "$1" --project="$PROJECT" --location="$REGION"; then verb=update; fi
  run gcloud tasks queues "$verb" "$1" --project="$PROJECT" --location="$REGION" --max-attempts=unlimited \
    --min-backoff=10s --max-backoff=600s --max-concurrent-dispatches="$AT_ONCE"
}

let_enqueue() { # QUEUE, ACCOUNT
  patiently run gcloud tasks queues add-iam-policy-binding "$1" --project="$PROJECT" --location="$REGION" \
    --member="serviceAccount:$2" --role=roles/cloudtasks.enqueuer --format=none
}

make_queues() {
  say "The queue of events to be delivered"
  make_queue "$NAME"
  let_enqueue "$NAME" "$ACCOUNT"
  let_enqueue "$NAME" "$DELIVER_ACCOUNT"
  say "The queue of what waits for a person, paused: to resume it is to replay"
  make_queue "$NAME-parked"
  let_enqueue "$NAME-parked" "$ACCOUNT"
  let_enqueue "$NAME-parked" "$DELIVER_ACCOUNT"
  run gcloud tasks queues pause "$NAME-parked" --project="$PROJECT" --location="$REGION" --quiet
}

# A database has no policy of its own: the right is the project's, with the condition that it is about this database.
make_counts() {
  say "The database that counts events for the limits of sources; what it has of a day is deleted two days later"
  exists gcloud firestore databases describe --database="$NAME" --project="$PROJECT" ||
    run gcloud firestore databases create --database="$NAME" --project="$PROJECT" --location="$REGION" --type=firestore-native
  run gcloud firestore fields ttls update ends --collection-group=counts --database="$NAME" --project="$PROJECT" \
    --enable-ttl --async
  patiently run gcloud projects add-iam-policy-binding "$PROJECT" --member="serviceAccount:$ACCOUNT" \
    --role=roles/datastore.user --condition="expression=resource.name==\"$COUNTS\",title=$NAME-counts" --format=none
}

# Before the first request: the URL of a request may hold a token, and Cloud Run writes it into its log.
keep_tokens_out_of_logs() {
  local verb=add
  say "Requests with a query are left out of the log"
  case ",$(ask gcloud logging sinks describe _Default --project="$PROJECT" '--format=value(exclusions.name.list())')," in
    *",$NAME-tokens,"*) verb=update ;;
  esac
  run gcloud logging sinks update _Default --project="$PROJECT" "--$verb-exclusion=name=$NAME-tokens,filter=$(of_service \
    "\"$NAME\"") AND log_id(\"run.googleapis.com/requests\") AND httpRequest.requestUrl:\"?\""
}

limit_logs() {
  if [ -z "$LOG_DAYS" ]; then return; fi
  say "How long the project's log is kept"
  run gcloud logging buckets update _Default --project="$PROJECT" --location=global --retention-days="$LOG_DAYS"
}

deploy_function() { # NAME, ENTRY POINT, ACCOUNT, and what else differs
  local name=$1 entry=$2 account=$3 secrets; shift 3
  secrets=$(names_for "$entry" | sed "s/.*/&=$NAME-&:latest/" | paste -sd, -)
  if [ -n "$secrets" ]; then secrets=--set-secrets=$secrets; else secrets=--clear-secrets; fi
  run gcloud functions deploy "$name" --gen2 --project="$PROJECT" --region="$REGION" --runtime="$RUNTIME" \
    --source=build/gcp --entry-point="$entry" --trigger-http --service-account="$account" \
    --memory=512Mi --cpu=1 --concurrency=4 "$secrets" \
    --set-env-vars="RINGBACK_QUEUE=cloud-tasks:$QUEUE,RINGBACK_DELIVER_URL=$DELIVER_URL,RINGBACK_SERVICE_ACCOUNT=$ACCOUNT,RINGBACK_COUNTS=$COUNTS" \
    "$@"
}

# Four requests at a time, since that is how many threads the Functions Framework starts on one processor.
deploy_functions() {
  say "The private function that delivers, which Cloud Tasks alone may call"
  deploy_function "$NAME-deliver" deliver "$DELIVER_ACCOUNT" --no-allow-unauthenticated \
    --ingress-settings=internal-only --timeout=180s --max-instances=5 ${CONNECTOR:+"--vpc-connector=$CONNECTOR" --vpc-egress=all-traffic}
  patiently run gcloud functions add-invoker-policy-binding "$NAME-deliver" --project="$PROJECT" --region="$REGION" \
    --member="serviceAccount:$ACCOUNT"
  say "The public function that senders call: it checks who they are"
  deploy_function "$NAME" webhook "$ACCOUNT" --allow-unauthenticated --timeout=60s --max-instances=20
}

# --- what tells when something is wrong ---

of_service() { # SERVICE NAMES, as a filter of log lines
  printf 'resource.type="cloud_run_revision" AND resource.labels.service_name=%s' "$1"
}

make_metric() { # NAME, LOG FILTER, LABELS...: counts log lines
  local name=$1 filter=$2 verb=create label text; shift 2
  text="filter: '$filter'"$'\n'"metricDescriptor: {metricKind: DELTA, valueType: INT64, labels: ["
  for label; do text+="{key: $label},"; done
  text+="]}"$'\n'"labelExtractors: {"
  for label; do text+="$label: EXTRACT(jsonPayload.$label),"; done
  text+="}"
  if exists gcloud logging metrics describe "$name" --project="$PROJECT"; then verb=update; fi
  run_with "$text" gcloud logging metrics "$verb" "$name" --project="$PROJECT" --config-from-file=-
}

make_metrics() {
  local ours
  ours=$(of_service "(\"$NAME\" OR \"$NAME-deliver\")")
  say "Counts of the log lines that say what became of each lead, and of what went wrong"
  make_metric "$NAME-outcomes" "$ours AND jsonPayload.event=\"customer.outcome\"" source status
  make_metric "$NAME-errors" "$ours AND severity>=ERROR" event
  say "Counts of refused requests of known sources, and of what Python, gunicorn and Cloud Run say of crashes"
  make_metric "$NAME-refusals" "$ours AND jsonPayload.event=\"webhook.refused\" AND jsonPayload.source=~\".\"" source
  make_metric "$NAME-crashes" "$ours AND NOT jsonPayload.event:* AND (\
textPayload:(\"Traceback (most recent call last)\" OR \"[ERROR]\" OR \"[CRITICAL]\") OR httpRequest.status=(500 OR 502 OR 504) OR \
(severity>=ERROR AND NOT log_id(\"run.googleapis.com/requests\")))"
}

make_channel() {
  if [ -z "$EMAIL" ]; then return; fi
  say "Who is told"
  CHANNEL=$(find_named channels "$NAME: $EMAIL")
  if [ -n "$CHANNEL" ]; then return; fi
  run gcloud beta monitoring channels create --project="$PROJECT" --type=email --display-name="$NAME: $EMAIL" \
    --channel-labels="email_address=$EMAIL"
  CHANNEL=$(find_named channels "$NAME: $EMAIL")
}

find_named() { # KIND, DISPLAY NAME
  ask gcloud alpha monitoring "$1" list --project="$PROJECT" --filter="displayName=\"$2\"" '--format=value(name)'
}

# A metric is known to alerts up to ten minutes after it was made.
make_alert() { # DISPLAY NAME, METRIC AND FILTER, SECONDS, COMPARISON, NUMBER, and more lines of the condition
  local text policy
  text="displayName: '$NAME: $1'
combiner: OR
notificationChannels: [${CHANNEL:-}]
conditions:
- displayName: '$1'
  conditionThreshold:
    filter: 'resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/$NAME-$2'
    comparison: $4
    thresholdValue: $5
    ${6:-duration: 0s}
    aggregations:
    - {alignmentPeriod: $3s, perSeriesAligner: ALIGN_DELTA, crossSeriesReducer: REDUCE_SUM, groupByFields: [${7:-}]}"
  policy=$(find_named policies "$NAME: $1")
  if [ -n "$policy" ]; then
    run_with "$text" gcloud alpha monitoring policies update "$policy" --project="$PROJECT" --policy-from-file=-
  else
    patiently run_with "$text" gcloud alpha monitoring policies create --project="$PROJECT" --policy-from-file=-
  fi
}

make_alerts() {
  say "Alerts"
  make_alert "leads are parked or fail" \
    "outcomes\" AND metric.labels.status=monitoring.regex.full_match(\"PARKED|FAILED\")" 3600 COMPARISON_GT "$FAILING"
  make_alert "an opt-out is not carried out" \
    "errors\" AND metric.labels.event=\"stop.undone\"" 300 COMPARISON_GT 0
  make_alert "Thulium refuses the password" \
    "errors\" AND metric.labels.event=\"thulium.refused\"" 300 COMPARISON_GT 0
  make_alert "events can not be stored, counted or read" \
    "errors\" AND metric.labels.event=monitoring.regex.full_match(\"(queue|counter|config|task).*\")" 300 COMPARISON_GT 0
  make_alert "a source brings more than its limits" \
    "errors\" AND metric.labels.event=\"source.limited\"" 300 COMPARISON_GT 0
  make_alert "a mistake of Ringback itself" \
    "errors\" AND metric.labels.event=\"internal.error\"" 300 COMPARISON_GT 0
  make_alert "a function crashes" "crashes\"" 300 COMPARISON_GT 0
  make_alert "requests of a source are refused" "refusals\"" 3600 COMPARISON_GT "$REFUSED" "" metric.label.source
  if [ "$QUIET_HOURS" = 0 ]; then return; fi
  make_alert "a source is quiet" "outcomes\"" "$((QUIET_HOURS * 3600))" COMPARISON_LT 1 \
    "duration: 300s"$'\n'"    evaluationMissingData: EVALUATION_MISSING_DATA_ACTIVE" metric.label.source
}

enable_services
make_accounts
make_secrets
make_queues
make_counts
keep_tokens_out_of_logs
limit_logs
deploy_functions
make_metrics
make_channel
make_alerts

say "Senders call https://$NAME-$NUMBER.$REGION.run.app/<source>"
