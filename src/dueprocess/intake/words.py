"""The literal words that papers use, and what each is a sign of. A table to read and to correct, no logic.

A blank in a pattern matches any white space, so that a broken line hides nothing. None of these words
decides anything: a person reads the place that the sign points at.

Source: 18 USC 2702, 2703, 2705, 2709; Regulation (EU) 2023/1543; Regulation (EU) 2022/2065; Regulation (EU)
2021/784; StPO sections 100g to 100k; TDDDG sections 22 to 24; Crime (Overseas Production Orders) Act 2019.
"""

import re

from dueprocess.intake.places import pattern

INSTRUMENTS: dict[str, tuple[str, re.Pattern[str]]] = {
    "emergency": (
        "emergency disclosure request (18 USC 2702: voluntary)",
        pattern(
            r"emergency (?:data |disclosure |information )+request",
            r"exigent circumstances? (?:request|form)|\b2702 ?\((?:b\) ?\(8|c\) ?\(4)\)",
        ),
    ),
    "preservation_letter": (
        "preservation request (keep, do not give)",
        pattern(
            r"preservation (?:request|letter|order|demand)|request (?:for|to) preserv\w+|\b2703 ?\(f\)",
            r"sicherungsersuchen",
        ),
    ),
    "nsl": (
        "national security letter (18 USC 2709)",
        pattern(
            r"national security letter|\bNSL-\d\d-\w{5,8}",
            r"(?:U\.? ?S[._]? ?C|Code)[^\n]{0,16}\s{0,3}[^\n]{0,16}\b2709\b",
        ),
    ),
    "d_order": (
        "court order under 18 USC 2703(d)",
        pattern(r"\b2703 ?\(d\)|specific and articulable facts"),
    ),
    "epoc_pr": (
        "European Preservation Order Certificate (EPOC-PR)",
        pattern(r"\bEPOC-PR\b|European Preservation Order"),
    ),
    "epoc": (
        "European Production Order Certificate (EPOC)",
        pattern(r"\bEPOC\b(?!-PR)|European Production Order|Europäische Herausgabeanordnung"),
    ),
    "tco_removal": (
        "removal order for terrorist content (Regulation (EU) 2021/784)",
        pattern(r"\b2021/784\b|terrorist content online|removal order"),
    ),
    "dsa_art9": (
        "order to act against illegal content (DSA Article 9)",
        pattern(r"Art(?:icle|ikel|\.)? ?9\b[^.\n]{0,60}(?:2022/2065|Digital Services Act|DSA)"),
    ),
    "dsa_art10": (
        "order to provide information (DSA Article 10)",
        pattern(r"Art(?:icle|ikel|\.)? ?10\b[^.\n]{0,60}(?:2022/2065|Digital Services Act|DSA)"),
    ),
    "warrant": (
        "search warrant",
        pattern(r"search (?:and seizure )?warrant|durchsuchungsbeschluss"),
    ),
    "civil_subpoena": (
        "civil subpoena (a private party, not a government)",
        pattern(
            r"subpoena[^.]{0,60}in a civil (?:action|case)|civil subpoena",
            r"attorneys? for (?:the )?(?:plaintiff|defendant)",
        ),
    ),
    "subpoena": (
        "subpoena",
        pattern(r"\bsubpoena(?:ed| duces tecum)?\b"),
    ),
    "uk_order": (
        "United Kingdom order or notice",
        pattern(
            r"overseas production order|Investigatory Powers Act 2016",
            r"Crime \(Overseas Production Orders\) Act",
        ),
    ),
    "de_beschluss": (
        "German court order (Beschluss)",
        pattern(r"\bAmtsgericht\b|\bLandgericht\b|\bBeschluss\b(?= |\n)"),
    ),
    "de_auskunft": (
        "German request for information (Auskunftsersuchen)",
        pattern(r"Auskunftsersuchen|Auskunftsverlangen|Ersuchen um Auskunft|Bestandsdatenauskunft"),
    ),
    "mlat": (
        "request for mutual legal assistance (normally through a ministry)",
        pattern(
            r"mutual legal assistance|letters? rogatory|\bMLAT?\b(?= request| treaty)",
            r"Rechtshilfeersuchen",
        ),
    ),
    "informal": (
        "informal request (no legal paper named)",
        pattern(
            r"(?:please|kindly|could you|would you|can you) (?:\w+ ){0,3}(?:provide|send|share|give|confirm)\b",
            r"(?:please|could you|would you|can you) (?:\w+ ){0,3}(?:tell|disclose)\b",
            r"we (?:request|require|need) (?:\w+ ){0,3}(?:information|data|details|records)",
        ),
    ),
}
"""Code → what to call it, and its words. Codes of the US pack where it has one."""

RELEASE = pattern(
    r"determined that nondisclosure is no longer necessary",
    r"nondisclosure requirement[^.]{0,60}terminated that",
)
"""Words of a letter that ends a nondisclosure duty: it asks for nothing."""

BASES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "{0} USC {1}",
        re.compile(
            r"\b(\d{1,2})\s*U[.\s_]{0,3}S[.\s_]{0,3}C[.\s_]{0,3}(?:A\.?)?\s*(?:§+|Sect?[.\w]*)?\s*"
            r"(\d{2,5}[a-z]?(?:\s?\([0-9a-zA-Z]{1,3}\)){0,4})",
            re.IGNORECASE,
        ),
    ),
    (
        "{0} USC {1}",
        re.compile(
            r"Title\s+(\d{1,2}),?\s+United\s+States\s+Code\s*(?:\([^)]{1,12}\))?,?\s*(?:§+|Sect?[.\w]*)\s*"
            r"(\d{2,5}[a-z]?(?:\s?\([0-9a-zA-Z]{1,3}\)){0,4})",
            re.IGNORECASE,
        ),
    ),
    (
        "§ {0} {1}",
        re.compile(
            r"§+\s*(\d{1,4}[a-z]?(?:\s*(?:Abs\.?|Absatz)\s*\d+)?)[^§\n]{0,30}?"
            r"\b(StPO|TDDDG|TTDSG|TKG|BKAG|PolG|VereinsG)\b"
        ),
    ),
    (
        "Regulation (EU) {0}",
        re.compile(
            r"(?:Regulation|Verordnung|Règlement|Reglamento)\s*\((?:EU|UE)\)\s*(?:No\.?\s*|Nr\.?\s*)?(\d{4}/\d{1,4})"
        ),
    ),
    (
        "{0}",
        pattern(r"(Investigatory Powers Act 2016|Crime \(Overseas Production Orders\) Act 2019)"),
    ),
)
"""How a citation is written out, and the words that it is read from."""

NONDISCLOSURE = pattern(
    r"non-?disclosure (?:order|requirement|provisions?)",
    r"not (?:to )?(?:notify|disclose|inform) (?:\w+ ){0,3}(?:any(?:one)?|the (?:user|subscriber|customer)|existence)",
    r"prohibited from disclosing|do not (?:notify|inform|tell|alert|disclose)|\b2705 ?\(b\)",
    r"\b2709 ?\(c\)|under seal|Stillschweigen|refrain from informing",
)
NONDISCLOSURE_CERTIFIED = pattern(
    r"I certify (?:that )?disclosure",
    r"reason to believe (?:that )?(?:such )?(?:notification|disclosure) (?:\w+ ){0,4}(?:will|may)",
    r"notification (?:\w+ ){0,8}will result in",
)
REVIEW_NOTICE = pattern(
    r"\b3511\b|right to (?:seek judicial review|challenge (?:this|the) letter|judicial review)"
)
CERTIFICATION = pattern(r"\bI certify\b|\bhereby certif(?:y|ies)\b")
EMERGENCY = pattern(
    r"death or serious (?:physical|bodily) injury|imminent (?:danger|threat|harm|risk)|exigent",
    r"emergency (?:data |disclosure )?request|life[- ]threatening|threat to life",
    r"danger to life|Gefahr im Verzug|Gefahr für Leib|\b2702 ?\(b\) ?\(8\)",
    r"\b2702 ?\(c\) ?\(4\)",
)
SIGNATURE = pattern(
    r"^[^\S\n]{0,40}/s/|\bsigned by\b|\bsigned:|digitally signed|special agent in charge|so ordered",
    r"^[^\S\n]{0,40}(?:sincerely|respectfully|yours faithfully|gez\.|im auftrag)",
)
DOCKET = re.compile(
    r"(?:\b(?:docket|case|file|reference|matter|warrant|order)\s*(?:no|nr|number|#)[.:]*"
    r"|Aktenzeichen:?|\bAz\.:?|Ref(?:erence)?:)\s*"
    r"((?=[^\n]{0,30}\d)[A-Z0-9][^\s,;]{2,40})",
    re.IGNORECASE,
)
ISSUERS: dict[str, re.Pattern[str]] = {
    "private_party": pattern(
        r"attorneys? for (?:the )?(?:plaintiff|defendant|petitioner)|law (?:firm|offices?)\b",
        r"counsel for the (?:plaintiff|defendant)",
    ),
    "fbi_official": pattern(
        r"special agent in charge|deputy assistant director",
        r"director of the federal bureau of investigation",
    ),
    "grand_jury": pattern(r"grand jury"),
    "judge": pattern(
        r"(?:magistrate|district|circuit|superior court) judge|\bRichter(?:in)?\b|\bjudge of the\b"
    ),
    "court": pattern(
        r"(?:district|superior|circuit|magistrates'?|county|high|crown) court|amtsgericht",
        r"landgericht|tribunal",
    ),
    "prosecutor": pattern(
        r"(?:public |assistant )?prosecutor|(?:district|united states|U\.S\.) attorney",
        r"staatsanwaltschaft|staatsanwält\w*",
    ),
    "police": pattern(r"\bpolice\b|sheriff|detective|constable|polizei|kriminalamt"),
    "agency": pattern(r"federal bureau of|department of|ministry of|\bagency\b|bundesamt|authority"),
}
"""Who seems to issue, by the words of ``IssuerKind``; from the least to the most everyday wording."""
