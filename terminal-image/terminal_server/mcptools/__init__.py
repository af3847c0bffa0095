"""Offers the operations of the OpenAPI document over MCP: the same tools under another protocol."""
