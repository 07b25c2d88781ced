"""Words for what a paper asks about: data categories, what it leaves out, and what is no named target.

A table to read and to correct. A blank in a pattern matches any white space.

Source: 18 USC 2703(c)(2) and law.md 1.3 (crosswalk); architecture.md 1.1 (no search across people).
"""

import re

from dueprocess.demand import Category, expand
from dueprocess.intake.places import pattern

CATEGORIES: dict[str, re.Pattern[str]] = {
    "subscriber.identity": pattern(
        r"\bnames?,? (?:and |or )?(?:(?:postal|street|home|mailing|billing) )?address(?:es)?\b",
        r"subscriber(?:'s)? (?:name|identity)|real name",
        r"identity of the (?:user|subscriber|account holder)",
        r"who (?:registered|opened|owns|is behind)",
    ),
    "subscriber": pattern(
        r"(?:basic )?subscriber (?:information|records?|details|data)|bestandsdaten|entity data"
    ),
    "subscriber.service": pattern(
        r"length of service|types? of services?|(?:account )?(?:creation|registration) date",
        r"date (?:of registration|opened)",
    ),
    "subscriber.payment": pattern(
        r"means and source of payment|payment (?:records?|information|details|data|method)",
        r"credit card|bank account|billing (?:records?|information)",
    ),
    "subscriber.number": pattern(
        r"(?:assigned|registration|recovery) (?:IP|network|e-?mail|telephone|phone)[ -]?(?:address(?:es)?|numbers?)",
        r"(?:telephone|phone) numbers? (?:associated|linked|registered|on file)|\bIP addresses\b",
        r"temporarily assigned network address|recovery (?:e-?mail|phone)",
    ),
    "session.times": pattern(
        r"session times?|times and durations|log-?in (?:dates?|times?|history)|last log-?in",
        r"local and long[- ]distance|toll billing records",
    ),
    "traffic": pattern(
        r"(?:IP|connection|access|log-?in|session|server) (?:address )?logs?\b|user[- ]agents?",
        r"transactional records|traffic data|verkehrsdaten|nutzungsdaten",
        r"(?:e-?mail|message) headers|metadata|device (?:identifiers?|information)",
        r"records of (?:all )?communications with",
    ),
    "location": pattern(
        r"location (?:data|information|history|records)|geo-?location|GPS|cell[- ]site",
        r"standortdaten",
    ),
    "content.messages": pattern(
        r"contents? of (?:all |any |the |every )*(?:\w+ ){0,2}(?:messages?|communications?|e-?mails?|account)\b",
        r"message contents?|all (?:e-?mails|messages|chats)",
        r"(?:private|direct|stored) (?:messages|communications)|inhaltsdaten",
        r"chat (?:logs?|history)",
    ),
    "content.files": pattern(
        r"(?:photos?|photographs|images|pictures|videos|media|uploaded|stored) (?:files|and (?:videos|images|files))",
        r"media files|uploads\b|attachments (?:sent|received)",
    ),
    "content.profile": pattern(r"profile (?:picture|photo|text|content|page|data)"),
    "secrets": pattern(
        r"passwords?\b|passphrases?|(?:private|encryption|decryption|session) keys?\b",
        r"access tokens?|passwörter|recovery keys?",
    ),
    "all": pattern(
        r"any and all (?:\w+ ){0,3}(?:records?|information|data|material)",
        r"all (?:available |other )?(?:records|information|data)\b",
        r"everything (?:you|associated|in|about|relating)",
        r"(?:entire|whole|complete|full) (?:account|contents)|sämtliche (?:\w+ )?daten",
    ),
}
"""Words → name in the closed tree of categories; ``all`` stands for every leaf that is asked at once."""

LEAVES_OF_ALL: frozenset[Category] = expand(["subscriber", "session", "traffic", "location", "content"])

EXCLUDED = pattern(
    r"\bnot (?:\w+ ){0,2}(?:directing|requesting|seeking|asking|including|requested|sought|covered)\b",
    r"\bnot (?:\w+ ){0,2}(?:require|include|seek|ask|request|reach)\b",
    r"\bnor should\b|\bother than\b|\bexclud(?:es?|ing)\b|\bwithout (?=(?:the )?contents?)",
)
"""Words that turn a category, named after them, into one that the paper says it does not ask for."""

EXCLUDED_AFTER = pattern(
    r"[^.;]{0,60}(?:should|must|need|are|is) not (?:be )?(?:provided|requested|sought|included)"
)
"""The same, for words that stand behind the category."""

COLLECTIVE: dict[str, re.Pattern[str]] = {
    "area": pattern(
        r"geo-?fence|reverse[- ]location|area warrant",
        r"within (?:a )?(?:radius|\d+[ -]?(?:m|met(?:er|re)s?|km|kilomet(?:er|re)s?|feet|miles?))\b"
        r"(?: radius)? (?:of|from)",
        r"(?:located|present|active) (?:in|near|at|within) the (?:area|vicinity|neighbou?rhood)",
        r"\bpolygon\b",
    ),
    "tower": pattern(r"(?:cell )?tower dump|funkzellenabfrage"),
    "keyword": pattern(
        r"keyword",
        r"(?:searched|used|posted|wrote|mentioned|sent) (?:for )?(?:the )?(?:words?|terms?|phrases?)\b",
        r"search terms?\b",
    ),
    "hashtag": pattern(r"hashtag|who (?:posted|wrote|commented) (?:about|on)|supporters of"),
    "room": pattern(
        r"(?:members?|participants|subscribers|followers|everyone|people) (?:of|in) (?:the |this |a )*"
        r"(?:\w+ ){0,2}(?:room|group|channel|server|chat|community)\b"
    ),
    "ip_range": re.compile(
        r"\b\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}\b|\b(?:IP|address)\s+range|\bsubnet\b", re.IGNORECASE
    ),
    "all": pattern(
        r"\b(?:all|every|each|any) (?:of your |your )?(?:users?|accounts?|devices?|subscribers?|members) "
        r"(?:who|that|which|whose|within|located|near|active|registered (?:in|from|between))",
        r"\b(?:all|every) (?:persons?|people|individuals) (?:who|that|which|located|near|present)",
        r"\ball (?:of your )?users\b|everyone (?:who|in|at|near)|alle Nutzer",
    ),
    "real_time": pattern(
        r"real[- ]time (?:access|feed|data|interception|tracking)|pen register|trap and trace",
        r"wiretap|on an ongoing basis|as (?:it is|they are) sent",
    ),
}
"""What is no named target, by the codes of ``REVERSE_KINDS``, and live data."""
