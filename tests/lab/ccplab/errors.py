"""The one exception whose text is a sentence for the person who typed the command."""


class LabError(Exception):
    pass
