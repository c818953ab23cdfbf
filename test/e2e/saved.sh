#!/usr/bin/env bash
# What users bring: functions kept in a store or in folders, and watchlists.
. "$(dirname "$0")/lib.sh"
store=$scratch/store

# ---- functions in the store ----
"$azimuth" functions save Twice '(a:long=3) { print x = a * 2 }' --store "$store"
check 'a function with a default is kept' test "$(value "$store" Twice)" = 6
check 'and called' test "$(value "$store" 'Twice(a=5)')" = 10
"$azimuth" functions save Twice '(a:long) { print x = a * 20 }' --store "$store"
check 'saving again replaces' test "$(value "$store" 'Twice(1)')" = 20
printf '// what it does\nlet n = 4;\nrange x from 1 to n step 1\n' >"$scratch/body.kql"
"$azimuth" functions save Four -f "$scratch/body.kql" --store "$store"
check 'a body alone, from a file' test "$(value "$store" 'Four | count')" = 4
"$azimuth" functions save AddOne '.create-or-alter function with (docstring="adds one") AddOne(T:(x:long)) { T | extend y = x + 1 }' --store "$store"
check 'a whole command, with a table' test "$(value "$store" 'Four | invoke AddOne() | summarize sum(y)')" = 14
check 'a function may call another' test "$("$azimuth" functions save Sum 'Four | summarize sum(x)' --store "$store"; value "$store" Sum)" = 10
check 'they are listed' test "$("$azimuth" functions list --store "$store" | wc -l)" -eq 4
check 'one is shown as it was given' says "$("$azimuth" functions show Four --store "$store")" 'what it does'
check 'help knows them' says "$("$azimuth" functions 'Add*' --store "$store")" 'adds one'
check 'a table of the wrong shape' says "$("$azimuth" query --store "$store" 'print y = 1 | invoke AddOne()' 2>&1)" "has no column 'x'"
"$azimuth" functions delete Four --store "$store"
check 'a deleted one is gone' says "$("$azimuth" query --store "$store" Four 2>&1)" "no table or function 'Four'"
check 'deleting it again says so' says "$("$azimuth" functions delete Four --store "$store" 2>&1)" "no function 'Four'"
check 'what does not parse is not kept' says "$("$azimuth" functions save Bad 'print (' --store "$store" 2>&1)" 'Bad:[0-9]+:'
check 'a command of another name' says "$("$azimuth" functions save A '.create function B() { print 1 }' --store "$store" 2>&1)" "defines the function 'B'"
check 'the store is needed' says "$("$azimuth" functions list 2>&1)" 'usage'
check 'a store is still sound' says "$("$azimuth" store check --store "$store")" '^0 problems'

# ---- functions in folders ----
mkdir -p "$scratch/functions/deep"
echo 'print x = 1' >"$scratch/functions/FromName.kql"
echo '.create-or-alter function Other(a:long) { print x = a }' >"$scratch/functions/deep/file.kql"
cat >"$scratch/functions/deep/parser.yaml" <<'YAML'
Parser:
  Title: a parser
ParserName: imThing
EquivalentBuiltInParser: _Im_Thing
ParserParams:
  - Name: starttime
    Type: datetime
    Default: datetime(null)
  - Name: who
    Type: string
    Default: '*'
  - Name: list
    Type: dynamic
    Default: dynamic([])
ParserQuery: |
  datatable(Who:string)["a", "b"]
  | where who == '*' or Who == who
  | where array_length(list) == 0 or Who in (list)
YAML
printf 'id: x\nFunctionName: ThingEvent\nFunctionAlias: ThingEvent\nFunctionQuery: |\n  print ok = 1\n  | where bad\n' >"$scratch/functions/broken.yaml"
mine() { "$azimuth" query --functions "$scratch/functions" --format csv "$@" 2>&1 | tail -n +2 | tr -d '\r'; }
check 'a query named after its file' test "$(mine FromName)" = 1
check 'a command in a sub-folder' test "$(mine 'Other(7)')" = 7
check 'a parser in YAML' test "$(mine 'imThing | count')" = 2
check 'its defaults and arguments' test "$(mine 'imThing(who="b") | union (_Im_Thing(list=dynamic(["a"]))) | summarize make_list(Who)')" = '"[""b"",""a""]"'
check 'errors name the file and its line' says "$("$azimuth" query --functions "$scratch/functions" ThingEvent 2>&1)" 'broken.yaml, line 6'
check 'a folder that is not there' says "$("$azimuth" query --functions "$scratch/none" 'print 1' 2>&1)" "$scratch/none"
echo 'print x = 9' >"$scratch/functions/Findings.kql"
check 'a user stands before the content' test "$(mine Findings)" = 9

# ---- functions and tables of one name ----
parsed=$scratch/parsed
{
  echo '{"TimeGenerated":"2026-01-01T10:00:00Z","user_s":"ann","result_s":"denied"}'
  echo '{"TimeGenerated":"2026-01-01T10:05:00Z","user_s":"bo","result_s":"success"}'
} >"$scratch/duo.jsonl"
{
  echo '{"TimeGenerated":"2026-01-01T10:00:00Z","UserPrincipalName":"ann","ResultType":"0"}'
  echo '{"TimeGenerated":"2026-01-01T10:05:00Z","UserPrincipalName":"bo","ResultType":"50126"}'
} >"$scratch/signin.jsonl"
"$azimuth" import --store "$parsed" --quiet --table CiscoDuo_CL "$scratch/duo.jsonl"
"$azimuth" import --store "$parsed" --quiet --table SigninLogs "$scratch/signin.jsonl"
check "a product's table is known, and empty" test "$(value "$parsed" 'CiscoDuo | where EventResult == "denied" | count')" = 0
check 'its columns are checked' says "$("$azimuth" query --store "$parsed" 'CiscoDuo | where EventResul == 1' 2>&1)" "did you mean 'EventResult'"
check 'it is suggested' says "$("$azimuth" query --store "$parsed" 'CiscoDou' 2>&1)" "did you mean 'CiscoDuo'"
check 'no wildcard meets it' test "$(value "$parsed" 'union withsource=T CiscoDuo* | summarize make_set(T)')" = '"[""CiscoDuo_CL""]"'
check 'nor when it is checked' says "$("$azimuth" query --check 'union CiscoDuo*' 2>&1)" "no table matches"
mkdir "$scratch/parsers"
echo 'CiscoDuo_CL | project TimeGenerated, DstUserName = user_s, EventResult = result_s' >"$scratch/parsers/CiscoDuo.kql"
brought() { "$azimuth" query --store "$parsed" --functions "$scratch/parsers" --format csv "$1" 2>&1 | tail -n +2 | tr -d '\r'; }
check 'a parser in a folder is what the name reads' test "$(brought 'CiscoDuo | where EventResult == "denied" | project DstUserName')" = ann
check 'from another function too' test "$(echo 'CiscoDuo | count' >"$scratch/parsers/HowMany.kql"; brought HowMany)" = 2
check 'table() is the table' test "$(brought 'table("CiscoDuo") | count')" = 0
check 'search reads the rows once' test "$(brought 'search "ann" | summarize make_list($table)')" = '"[""CiscoDuo_CL"",""SigninLogs""]"'
check 'a union of all tables has them too' test "$(brought 'union withsource=T * | where * has "ann" | summarize make_list(T)')" = "$(brought 'search "ann" | summarize make_list($table)')"
check 'a let stands before it' test "$(brought 'let CiscoDuo = print x = 7; CiscoDuo')" = 7
"$azimuth" functions save CiscoDuo 'CiscoDuo_CL | project EventResult = toupper(result_s)' --store "$parsed"
check 'one in the store as well' test "$(value "$parsed" 'CiscoDuo | summarize make_list(EventResult)')" = '"[""DENIED"",""SUCCESS""]"'
"$azimuth" functions save SigninLogs 'SigninLogs | where ResultType == "0"' --store "$parsed"
check 'a function of a name reads the table of it' test "$(value "$parsed" 'SigninLogs | project UserPrincipalName')" = ann
check 'the whole table is still there' test "$(value "$parsed" 'table("SigninLogs") | count')" = 2
"$azimuth" functions save SigninLogs '(T:(*)) { T | take 1 }' --store "$parsed"
check 'one with arguments leaves the name to the table' test "$(value "$parsed" 'SigninLogs | count')" = 2
check 'and is called with them' test "$(value "$parsed" 'SigninLogs(CiscoDuo_CL) | count')" = 1
"$azimuth" functions save SigninLogs 'strcat("a", "b")' --store "$parsed"
check 'one that yields no table too' test "$(value "$parsed" 'SigninLogs | count')" = 2
"$azimuth" functions save Ping 'Pong | take 1' --store "$parsed"
"$azimuth" functions save Pong 'Ping | take 1' --store "$parsed"
check 'functions that call each other end' says "$("$azimuth" query --store "$parsed" Ping 2>&1)" 'Ping|Pong'
"$azimuth" functions save GitHubAudit 'datatable(Nope:string)["x"] | project Nope, Missing' --store "$parsed"
check 'its error is told, not the table taken' says "$("$azimuth" query --store "$parsed" 'GitHubAudit | count' 2>&1)" "Missing"

# ---- watchlists ----
printf 'User,Note\nalice,"a, b"\nbob,x\nbob,second\n' >"$scratch/vip.csv"
"$azimuth" import --store "$store" --watchlist VIP --search-key User "$scratch/vip.csv" >/dev/null
check 'a watchlist' test "$(value "$store" '_GetWatchlist("VIP") | summarize count(), make_set(SearchKey)')" = '3,"[""alice"",""bob""]"'
check 'its items are columns' test "$(value "$store" '_GetWatchlist("VIP") | where User == "alice" | project Note')" = '"a, b"'
check 'only some keys' test "$(value "$store" '_GetWatchlist("VIP", dynamic(["bob"])) | count')" = 2
check 'the raw items' test "$(value "$store" '_ASIM_GetWatchlistRaw("VIP") | where SearchKey == "alice" | project tostring(WatchlistItem.Note)')" = '"a, b"'
check 'in a condition' test "$(value "$store" 'print u = "bob" | where u in ((_GetWatchlist("VIP") | project SearchKey)) | count')" = 1
check 'columns are known to rules' says "$("$azimuth" query --store "$store" --check '_GetWatchlist("VIP") | project Note')" ok
check 'other columns are not' says "$("$azimuth" query --store "$store" '_GetWatchlist("VIP") | project Nope' 2>&1)" "named 'Nope'"
printf 'User,Note\nbob,y\ncarol,z\n' >"$scratch/vip.csv"
out=$("$azimuth" import --store "$store" --watchlist VIP --search-key user "$scratch/vip.csv")
check 'an import says what went' says "$out" '2 items, 2 removed'
check 'and is what the file holds' test "$(value "$store" '_GetWatchlist("VIP") | sort by SearchKey asc | summarize make_list(Note)')" = '"[""y"",""z""]"'
check 'the aliases' test "$(value "$store" _GetWatchlistAlias)" = VIP
check 'a search key that is no column' says "$("$azimuth" import --store "$store" --watchlist V --search-key Usr "$scratch/vip.csv" 2>&1)" "did you mean 'User'"
: >"$scratch/empty.csv"
check 'an empty file' says "$("$azimuth" import --store "$store" --watchlist V --search-key a "$scratch/empty.csv" 2>&1)" 'header line'
check 'an unknown one binds under check' says "$("$azimuth" query --check '_GetWatchlist("none") | where IP == "x" and Name has "y"')" ok
check 'names behind its join are not taken for its columns' test "$("$azimuth" query --store "$store" --check '_GetWatchlist("none") | join SigninLogs on $left.Name == $right.UserPrincipalName | where TimeGenerated > ago(1d)')" = ok
check 'a parser that others turned off' test "$(value "$store" '_ASIM_GetDisabledParsers | count')" = 0

# ---- ASIM parsers over the normalised tables ----
{
  echo '{"TimeGenerated":"2026-01-01T10:00:00Z","SrcIpAddr":"10.0.0.1","SrcHostname":"h1","DnsQuery":"bad.example","EventResultDetails":"NXDOMAIN","EventType":"Query","DnsResponseName":"192.168.1.7"}'
  echo '{"TimeGenerated":"2026-01-01T12:00:00Z","SrcIpAddr":"10.0.0.2","DnsQuery":"good.example","EventResultDetails":"NOERROR","EventType":"Query"}'
  echo '{"TimeGenerated":"2026-01-01T13:00:00Z","SrcIpAddr":"10.0.0.2","DnsQuery":"good.example","EventType":"DnsCache"}'
} >"$scratch/dns.jsonl"
{
  echo '{"TimeGenerated":"2026-01-01","SrcIpAddr":"10.1.0.1","DstIpAddr":"172.16.0.1","DstPortNumber":443,"DvcAction":"Allow","EventResult":"Success","DstHostname":"web"}'
  echo '{"TimeGenerated":"2026-01-01","SrcIpAddr":"172.16.0.9","DstIpAddr":"10.1.0.1","DstPortNumber":22,"DvcAction":"Deny","EventResult":"Failure","SrcHostname":"web"}'
} >"$scratch/net.jsonl"
echo '{"TimeGenerated":"2026-01-01","EventType":"ProcessCreated","TargetProcessName":"C:\\\\x\\\\cmd.exe","TargetProcessCommandLine":"cmd /c whoami","TargetUsername":"bob","DvcHostname":"pc"}' >"$scratch/proc.jsonl"
"$azimuth" import --store "$store" --table ASimDnsActivityLogs "$scratch/dns.jsonl" >/dev/null
"$azimuth" import --store "$store" --table ASimNetworkSessionLogs "$scratch/net.jsonl" >/dev/null
"$azimuth" import --store "$store" --table ASimProcessEventLogs "$scratch/proc.jsonl" >/dev/null
echo '{"TimeGenerated":"2026-01-01","EventType":"Logon","SrcIpAddr":"10.2.0.1","TargetHostname":"dc1","SrcDeviceType":"Computer"}' >"$scratch/auth.jsonl"
echo '{"TimeGenerated":"2026-01-01","EventType":"FileCreated","TargetFilePath":"C:\\\\x\\\\a.exe","TargetFileName":"a.exe"}' >"$scratch/file.jsonl"
"$azimuth" import --store "$store" --table ASimAuthenticationEventLogs "$scratch/auth.jsonl" >/dev/null
"$azimuth" import --store "$store" --table ASimFileEventLogs "$scratch/file.jsonl" >/dev/null
check 'names of an earlier schema are aliases' test "$(value "$store" 'imAuthentication | project strcat(SrcDvcIpAddr, " ", SrcDvcType, " ", TargetDvcHostname, " ", TargetDvc)')" = '10.2.0.1 Computer dc1 dc1'
check 'hashes of the acting process are columns' test "$(value "$store" 'imFileEvent | project strcat(FileName, ActingProcessSHA256, ActingProcessSHA1, ActingProcessMD5)')" = a.exe
check 'look-ups alone by default' test "$(value "$store" 'imDns | count')" = 2
check 'every event when asked' test "$(value "$store" '_Im_Dns(eventtype="*") | count')" = 3
check 'and without parameters' test "$(value "$store" 'ASimDns | count')" = 3
check 'a time range' test "$(value "$store" 'imDns(starttime=datetime(2026-01-01 11:00), endtime=datetime(2026-01-01 23:00)) | project Domain')" = good.example
check 'a domain' test "$(value "$store" 'imDns(domain_has_any=dynamic(["bad.example"])) | project strcat(Src, " ", IpAddr, " ", DnsResponseCodeName)')" = 'h1 10.0.0.1 NXDOMAIN'
check 'a response code' test "$(value "$store" 'imDns(responsecodename="NXDOMAIN") | count')" = 1
check 'an address in the response' test "$(value "$store" 'imDns(response_has_ipv4="192.168.1.7") | count')" = 1
check 'a prefix in the response' test "$(value "$store" 'imDns(response_has_any_prefix=dynamic(["192.168."])) | count')" = 1
check 'a source address' test "$(value "$store" 'imDns(srcipaddr="10.0.0.2") | count')" = 1
check 'either side of a session' test "$(value "$store" '_Im_NetworkSession(ipaddr_has_any_prefix=dynamic(["10.1."])) | summarize make_set(ASimMatchingIpAddr)')" = '"[""SrcIpAddr"",""DstIpAddr""]"'
check 'the source alone' test "$(value "$store" '_Im_NetworkSession(srcipaddr_has_any_prefix=dynamic(["10.1."])) | project DstPortNumber')" = 443
check 'a port' test "$(value "$store" '_Im_NetworkSession(dstportnumber=22) | project DvcAction')" = Deny
check 'an action' test "$(value "$store" '_Im_NetworkSession(dvcaction=dynamic(["Allow"])) | count')" = 1
check 'a host on either side' test "$(value "$store" '_Im_NetworkSession(hostname_has_any=dynamic(["web"])) | count')" = 2
check 'a command line' test "$(value "$store" 'imProcessCreate(commandline_has_any=dynamic(["whoami"])) | project strcat(User, " ", Dvc, " ", CommandLine)')" = 'bob pc cmd /c whoami'
check 'another command line' test "$(value "$store" 'imProcessCreate(commandline_has_all=dynamic(["whoami", "other"])) | count')" = 0
check 'another kind of event' test "$(value "$store" 'imProcessTerminate | count')" = 0
finish
