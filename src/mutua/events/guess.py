"""Guessing a mapping from the names of columns, and whether a file's first row names them at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mutua.core.clock import parse_time
from mutua.errors import InvalidTime
from mutua.events.mapping import Column, Mapping

_SPELLINGS: dict[str, str] = {
    "id": "eventid eventuuid interactionid uuid",
    "user": "user userid visitor visitorid customer customerid member memberid household householdid householdkey"
    " reviewer reviewerid client clientid buyer buyerid account accountid person personid profileid uid"
    " fullvisitorid cookieid msno viewerid userpseudoid",
    "item": "item itemid product productid movie movieid asin parentasin song songid sku article articleid book"
    " bookid isbn track trackid artist artistid video videoid news newsid business businessid venue"
    " venueid locationid poi poiid hotel hotelid ad adid adgroup adgroupid contentid"
    " anime animeid game gameid appid recipe recipeid courseid jobid goods goodsid stockcode"
    " reference iid upc resourceid photoid streamer podcastid",
    "type": "type event eventtype eventname action actiontype behavior behaviour behaviortype behaviourtype btag"
    " interaction interactiontype activity activitytype feedbacktype",
    "value": "value rating stars overall score bookrating reviewscore ratingscore grade salesvalue sales amount"
    " revenue price quantity qty count cnt plays playcount weight watchratio watchtime playtime duration"
    " dwelltime hours",
    "time": "time timestamp ts datetime eventtime eventtimestamp createdat created occurredat"
    " transactiontimestamp unixreviewtime reviewtime unixtime timems invoicedate purchasedate orderdate"
    " transactiondate tdat date eventdate checkintime visittime playedat timestep",
    "session": "session sessionid basket basketid order orderid invoice invoiceno invoiceid transactionid visitid"
    " usersession cartid receiptid",
    "device": "device devicetype deviceid",
    "text": "reviewtext review comment reviewbody",
    "slate": "slate slateid recommendationid",
    "position": "position rank slot",
}
_RATINGS = {"rating", "stars", "overall", "score", "bookrating", "reviewscore", "ratingscore", "grade"}
_ALONE = re.compile(r"[^a-z0-9]")


def guess(found: Sequence[str]) -> Mapping:
    """Returns the mapping that the columns' names make obvious; a field whose columns tie stays open.

    The first spelling in the list wins (`timestamp` before `date`), so only two columns of the same spelling tie.
    A value column that is called a rating implies the type `rating` where no column holds types.

    Example:
        >>> str(guess(["household_id", "product_id", "rating", "timestamp"]))
        'user=household_id,item=product_id,type:=rating,value=rating,time=timestamp'
    """
    plain = [_plain(name) for name in found]
    chosen: dict[str, Any] = {}
    for field, spellings in _SPELLINGS.items():
        for spelling in spellings.split():
            matches = [name for name, bare in zip(found, plain, strict=True) if bare == spelling]
            if matches:
                if len(matches) == 1:
                    chosen[field] = Column(matches[0])
                break
    return _implied(Mapping(**chosen))


def completed(stated: Mapping, found: Sequence[str]) -> Mapping:
    """Returns `stated`, its columns resolved and completed by what the columns' names make obvious.

    Raises:
        MissingColumn: code `file.column-missing`; a stated column is not there, or none for user or item.
    """
    guessed = replace(guess(found), type=None) if stated.value and _rates(guess(found)) else guess(found)
    return _implied(stated.named(found).over(guessed)).resolved(found)


def _rates(mapping: Mapping) -> bool:
    return mapping.type is not None and mapping.type.constant


def _implied(mapping: Mapping) -> Mapping:
    is_graded = mapping.type is None and mapping.value is not None and is_rating(mapping.value.name)
    return replace(mapping, type=Column("rating", constant=True)) if is_graded else mapping


def is_rating(name: str) -> bool:
    """Returns whether a column of this name holds ratings."""
    return _plain(name) in _RATINGS


def has_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Returns whether the first row of a file names the columns.

    It does where it has no number or date, its names differ from each other, and either a name is known or a column
    that it names holds numbers.
    """
    names = [name.strip() for name in first]
    if any(_is_data(name) for name in names) or not any(names) or len(set(names)) < len(names):
        return False
    known = {spelling for spellings in _SPELLINGS.values() for spelling in spellings.split()}
    return (
        any(_plain(name) in known for name in names) or any(_is_data(value.strip()) for value in second) or not second
    )


def _is_data(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return _is_date(text)
    return True


def _is_date(text: str) -> bool:
    try:
        parse_time(text)
    except InvalidTime:
        return False
    return True


def _plain(name: str) -> str:
    return _ALONE.sub("", name.strip().lower())
